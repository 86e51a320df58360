"""Plain torch networks, usable without nnU-Net."""
