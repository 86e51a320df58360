"""The outcome of converting both views at once."""

from __future__ import annotations

from dataclasses import dataclass

from dataset_conversion.report import ConversionReport


@dataclass(frozen=True)
class BothReports:
    """The reports of two data sets, read as one.

    Attributes:
        short_axis: That of the short-axis data set.
        long_axis: That of the long-axis data set.
    """

    short_axis: ConversionReport
    long_axis: ConversionReport

    @property
    def failures(self) -> list[str]:
        """The lines of both; what is wrong with a subject as such is said once."""
        return list(dict.fromkeys(self.short_axis.failures + self.long_axis.failures))

    @property
    def exit_code(self) -> int:
        """0 if everything went well in both, else 1."""
        return max(self.short_axis.exit_code, self.long_axis.exit_code)

    def summary(self) -> str:
        """Return the summaries of both, one after the other."""
        return f"{self.short_axis.summary()}\n{self.long_axis.summary()}"
