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
