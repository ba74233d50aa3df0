"""When, on which device? Precision, optimizers, checkpoints, the loop."""
