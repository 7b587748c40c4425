"""DAZLE (Huynh and Elhamifar, CVPR 2020): network, training, and embedding of images; it predicts by embedding."""
