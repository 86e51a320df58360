"""What the readers of all data sets do with the folders of a download."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dataset_conversion.cases import SourceSubject
from nnunet_cardiac_ext.errors import UsageError

HIDDEN_FILE = "hidden file"


def require_folder(source: Path) -> None:
    """Check that a folder is there.

    Raises:
        UsageError: There is a file or nothing.
    """
    if not source.is_dir():
        raise UsageError(f"{source}: expected a folder, found {'a file' if source.exists() else 'nothing'}")


@contextmanager
def searching(source: Path) -> Iterator[None]:
    """Search a download in the body of a `with`; a folder that cannot be listed there is one line.

    Raises:
        UsageError: `source` is no folder, or one in it cannot be listed.
    """
    require_folder(source)
    try:
        yield
    except OSError as error:
        raise UsageError(f"{source}: cannot be read ({error.strerror or error})") from error


def files_in(folder: Path) -> list[Path]:
    """Return what lies in a folder, sorted; nothing for one that cannot be listed, which fails elsewhere already."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def failed(subject: SourceSubject, problem: str, folders: Iterable[Path]) -> SourceSubject:
    """Return a subject that cannot be converted; the files in its folders are reported as left out with it."""
    files = [path for folder in folders for path in files_in(folder)]
    return replace(subject, problem=problem, ignored=dict.fromkeys(files, "left out with its subject"))


def folders_below(source: Path, *, is_subject: Callable[[str], bool], deepest: int) -> Iterator[Path]:
    """Yield a folder and those below it that may hold subjects, and the subjects' own; not what is in these.

    Args:
        source: Where to begin.
        is_subject: Tells by its name whether a folder is a subject's.
        deepest: How many levels below `source` subjects may lie.

    Raises:
        OSError: A folder cannot be listed.
    """
    yield source
    for path in sorted(source.iterdir()) if deepest else ():
        if path.is_dir() and not path.name.startswith((".", "__")):
            if is_subject(path.name):
                yield path
            else:
                yield from folders_below(path, is_subject=is_subject, deepest=deepest - 1)
