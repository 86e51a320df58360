"""Converters from the official layouts of cardiac MR data sets to nnU-Net raw data sets."""
