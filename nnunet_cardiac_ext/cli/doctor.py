"""`nnunet-cardiac doctor`: check this machine and say how to mend what is wrong."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print one line per finding; 1 if there is any problem."""
    from nnunet_cardiac_ext.doctor import examine

    checks = []
    for check in examine():
        checks.append(check)
        if not arguments.json:
            print(check, flush=True)
    counts = Counter(check.status for check in checks)
    if arguments.json:
        print(json.dumps([asdict(check) for check in checks], indent=2, ensure_ascii=False))
    else:
        print(f"ok: {counts['ok']}, warnings: {counts['warning']}, problems: {counts['problem']}")
    return 1 if counts["problem"] else 0
