"""SC-EGG: semantic compression embedding guided generation for zero-shot learning (Hong et al., IJCAI-22)."""

__version__ = "0.1.0"
