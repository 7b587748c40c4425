"""What all training loops share: devices, curves, checkpoints, progress."""
