"""How fast is it, and beside what? Run as `python -m benchmarks`."""
