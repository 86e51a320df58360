"""nnU-Net data loaders, samplers and transforms of ours."""
