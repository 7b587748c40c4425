"""What a CUDA machine can tell in a few minutes: python -m benchmarks.gpu."""
