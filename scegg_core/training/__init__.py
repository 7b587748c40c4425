"""What all training loops share: devices, curves, states and checkpoints, progress."""
