"""EGGN, stage 3: networks, losses, training, and synthetic features (paper section 3.2; Eqs. 9-15, 18)."""
