"""Which setting is better, over seeds? Run as `python -m sweeps`."""
