"""README.md shows what the registry holds."""

from pathlib import Path

from nnunet_cardiac_ext.cli.list_registry import as_markdown

README = Path(__file__).parents[1] / "README.md"
OPENING, CLOSING = "<!-- registry -->", "<!-- /registry -->"


def test_the_tables_are_those_of_the_registry():
    text = README.read_text(encoding="utf-8")
    assert text.count(OPENING) == 1, f"README.md: expected {OPENING} once, found {text.count(OPENING)} times"
    assert text.count(CLOSING) == 1, f"README.md: expected {CLOSING} once, found {text.count(CLOSING)} times"
    shown = text.partition(OPENING)[2].partition(CLOSING)[0].strip()
    assert shown == as_markdown(), "README.md: put the output of `nnunet-cardiac list --markdown` between the markers"
