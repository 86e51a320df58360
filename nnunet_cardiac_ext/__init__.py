"""Cardiac MR segmentation methods for nnU-Net v2: trainers, evaluation, phantoms and the command line."""

__version__ = "0.1.0"
