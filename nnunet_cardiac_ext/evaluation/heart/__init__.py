"""What one labelled heart tells: volumes, wall thickness by segment, lesions, the volume over the cycle."""
