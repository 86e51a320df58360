"""Plain torch losses, usable without nnU-Net."""
