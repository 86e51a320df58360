"""Progress passes everything on and draws only when wanted."""

from nnunet_cardiac_ext.progress import progress


def test_items_pass_in_order_and_the_bar_counts_them(capsys):
    assert list(progress(iter("abc"), label="reading", total=3)) == ["a", "b", "c"]
    drawn = capsys.readouterr().err
    assert "reading" in drawn
    assert "3/3" in drawn


def test_quiet_draws_nothing(capsys):
    assert list(progress([1, 2], label="reading", quiet=True)) == [1, 2]
    assert capsys.readouterr().err == ""
