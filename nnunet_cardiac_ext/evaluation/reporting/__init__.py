"""The report: what an evaluation, a measurement or a prediction folder holds, as one page to read."""
