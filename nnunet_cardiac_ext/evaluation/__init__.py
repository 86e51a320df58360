"""Metrics, regional profiles, clinical numbers, figures and the report."""
