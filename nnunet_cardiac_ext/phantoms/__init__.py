"""Synthetic hearts with known volumes, written in each data set's official layout."""
