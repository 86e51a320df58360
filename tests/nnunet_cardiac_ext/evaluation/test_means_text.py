from helpers.label_stacks import write_study

from nnunet_cardiac_ext.evaluation import evaluate
from nnunet_cardiac_ext.evaluation.means_text import means_as_text


def lines(tmp_path, *, scheme="20/60/20", **options):
    folders = write_study(tmp_path, subjects=1)
    result = evaluate(*folders, tmp_path / "out", scheme=scheme, workers=1, quiet=True, **options)
    return result, list(means_as_text(result, scheme=scheme))


def test_dice_by_region_and_distances_of_our_convention(tmp_path):
    result, text = lines(tmp_path)
    titles = "Dice all Dice base Dice middle Dice apex HD95 mm ASSD mm"
    assert " ".join(text[0].split()) == f"2 cases, means {titles}"
    assert text[3].split()[:2] == ["LV", f"{result.mean('dice', 'LV'):.3f}"]
    assert text[4:] == [f"tables: {tmp_path / 'out'}"]


def test_columns_stand_under_their_titles(tmp_path):
    _, text = lines(tmp_path, conventions=("nnunet-cardiac", "crocnet", "nnunet"))
    for start in (0, 4, 8):
        assert len({len(line) for line in text[start : start + 4]}) == 1


def test_other_conventions_and_schemes_are_named_and_counts_stay_in_the_files(tmp_path):
    _, text = lines(tmp_path, scheme="thirds", conventions=("nnunet-cardiac", "nnunet"))
    assert text[0].startswith("2 cases, means, thirds ")
    assert text[4].split("  ")[0] == "2 cases, means, nnU-Net's summary.json"
    assert text[4].split()[-2:] == ["Dice", "IoU"]


def test_without_the_usual_metrics_those_that_were_asked_for_are_shown(tmp_path):
    _, text = lines(tmp_path, metrics=("hd", "hd_pixels"))
    assert text[0].split("means")[1].split() == ["Hausdorff", "distance", "mm", "Hausdorff", "distance", "px"]
