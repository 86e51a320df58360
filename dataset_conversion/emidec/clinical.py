"""Read the clinical text that lies beside each case of EMIDEC.

One line per fact, `Age : 65`, in latin-1 with a non-breaking space before some colons and Windows line ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from dataset_conversion.images import SourceError
from dataset_conversion.tables import tidy

# Column of cases.csv by the letters of its key. Units and codings: docs/datasets/emidec.md.
COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "sex": "sex",
        "age": "age",
        "tobacco": "tobacco",
        "overweight": "overweight",
        "arterialhypertension": "arterial_hypertension",
        "diabetes": "diabetes",
        "familialhistoryofcoronaryarterydisease": "family_history_cad",
        "ecgst": "st_elevation",
        "troponin": "troponin",
        "killipmax": "killip_max",
        "fevg": "lvef_percent",
        "ntprobnp": "nt_probnp",
        "gapbetweenslices": "slice_distance_mm",
    }
)
_MISSING = ("", "?", "-", "--", "na", "n/a", "nan", "nd", "nr", "none", "unknown", "missing")
_NUMBER_WITH_UNIT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*[a-z%/]*", re.IGNORECASE)


def read_clinical(path: Path | None) -> dict[str, str]:
    """Return the clinical data as columns of cases.csv.

    Args:
        path: The text file; None where a case has none.

    Returns:
        The value of every column: numbers with a decimal point and without their unit, other text as it stands, empty
        where the file says nothing.

    Raises:
        SourceError: The file cannot be read.
    """
    values = dict.fromkeys(COLUMNS.values(), "")
    for line in _lines(path) if path else ():
        key, colon, value = line.partition(":")
        column = COLUMNS.get(re.sub("[^a-z]", "", key.casefold()))
        if colon and column:
            values[column] = _clean(value)
    return values


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: cannot be read ({error.strerror or error})") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace").splitlines()
    try:
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:  # every byte is a letter of latin-1
        return content.decode("latin-1").splitlines()


def _clean(value: str) -> str:
    text = " ".join(value.split())
    if text.casefold() in _MISSING:
        return ""
    number = _NUMBER_WITH_UNIT.fullmatch(text)
    return tidy(number[1]) if number else text
