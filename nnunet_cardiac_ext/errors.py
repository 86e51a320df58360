"""The two kinds of failure that a user sees: one line on stderr and an exit code, never a traceback."""

from __future__ import annotations


class CardiacError(Exception):
    """A failure whose message is one line: the file or key, what was expected, what came."""

    exit_code = 1


class UsageError(CardiacError):
    """The command or its input was wrong: a missing file, an unknown key, an impossible combination (exit code 2)."""

    exit_code = 2


class WorkError(CardiacError):
    """The work itself failed, in part or as a whole: a broken image, a full disk (exit code 1)."""

    exit_code = 1


def first_line(error: Exception, otherwise: str = "") -> str:
    """Return the first line of a foreign error's message; of an empty one `otherwise`, or the error's type."""
    return _lines(error, otherwise)[0]


def last_line(error: Exception, otherwise: str = "") -> str:
    """Return the last line of a foreign error's message, where SimpleITK and others say what is wrong; see above."""
    return _lines(error, otherwise)[-1]


def _lines(error: Exception, otherwise: str) -> list[str]:
    return str(error).strip().splitlines() or [otherwise or type(error).__name__]
