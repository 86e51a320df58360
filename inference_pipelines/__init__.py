"""Predictors over trained model folders."""
