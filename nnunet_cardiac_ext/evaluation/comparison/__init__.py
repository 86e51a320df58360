"""Compares models: statistical tests, effect sizes, confidence intervals, and the table of several evaluations."""
