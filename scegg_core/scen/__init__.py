"""SCEN, stages 1 and 2: networks, losses, training, and embedding (paper section 3.1; Eqs. 1-8, 16, 17)."""
