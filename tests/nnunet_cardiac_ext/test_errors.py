"""Exit codes, and the one line that stands for a foreign error."""

import pytest

from nnunet_cardiac_ext.errors import CardiacError, UsageError, WorkError, first_line, last_line


def test_wrong_use_and_failed_work_have_codes_of_their_own():
    assert (UsageError.exit_code, WorkError.exit_code, CardiacError.exit_code) == (2, 1, 1)


@pytest.mark.parametrize(
    ("message", "first", "last"),
    [
        ("one", "one", "one"),
        ("\n one\ntwo\n\n", "one", "two"),
        ("", "OSError", "OSError"),
        (" \n", "OSError", "OSError"),
    ],
)
def test_one_line_of_a_message_or_else_the_type(message, first, last):
    assert first_line(OSError(message)) == first
    assert last_line(OSError(message)) == last


def test_an_error_without_a_message_may_be_explained():
    assert first_line(ValueError(), "a reason") == last_line(ValueError(), "a reason") == "a reason"
    assert first_line(ValueError("own"), "a reason") == "own"
