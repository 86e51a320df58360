from dataclasses import dataclass

from dataset_conversion.mnms2.reports import BothReports


@dataclass
class Report:
    failures: list
    exit_code: int
    text: str

    def summary(self):
        return self.text


def test_failures_are_said_once_and_the_worse_exit_code_counts():
    both = BothReports(Report(["001: a", "002: b"], 1, "short"), Report(["001: a"], 1, "long"))
    assert both.failures == ["001: a", "002: b"]
    assert both.exit_code == 1
    assert both.summary() == "short\nlong"
    assert BothReports(Report([], 0, ""), Report(["x"], 1, "")).exit_code == 1
    assert BothReports(Report([], 0, ""), Report([], 0, "")).exit_code == 0
