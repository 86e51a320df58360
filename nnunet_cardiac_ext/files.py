"""Files that appear whole or not at all, and reading that fails in one line."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext.errors import UsageError, WorkError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it is renamed to `path`, on failure removed.

    The temporary name keeps the suffixes of `path` (writers choose the format by them) and starts with a dot.

    Args:
        path: The file that is to appear. Its folder is made if need be.

    Raises:
        WorkError: The folder cannot be written, or the disk is full.
    """
    partial = path.with_name(f".{uuid.uuid4().hex[:8]}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise WorkError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        # Where the folder itself could not be made there is nothing to clear away; the first error is the one to tell.
        with suppress(OSError):
            partial.unlink()


def remove(path: Path) -> None:
    """Remove a file; one that is not there is no failure.

    Raises:
        WorkError: It cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WorkError(f"{path}: cannot be removed ({error.strerror or error})") from error


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with a final newline, keys in the order given, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UsageError: The file is absent or is no JSON; the line names the file and the place.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: expected JSON, but {error}") from error


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Write rows as csv with a header, whole or not at all.

    Args:
        path: The file to write.
        rows: One mapping per line; keys missing in a row leave the cell empty. With `columns` they may be many: each
            is written as it comes.
        columns: The header; by default the keys of the rows in the order of their first appearance.
    """
    if columns is None:
        rows = list(rows)
        columns = list(dict.fromkeys(key for row in rows for key in row))
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a csv with a header as a list of rows; every value is text, absent cells are empty text.

    Raises:
        UsageError: The file is absent or is no UTF-8 text.
    """
    return list(iterate_csv(path))


def iterate_csv(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a csv one by one: for tables that are too long to be held; otherwise as `read_csv`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            for row in csv.DictReader(stream):
                yield {key: value or "" for key, value in row.items() if key}
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: expected UTF-8 text, but {error}") from error
