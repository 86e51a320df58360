import re

import pytest
from helpers.html_page import Page
from helpers.label_stacks import heart, write_study, write_volume

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation import evaluate, report
from nnunet_cardiac_ext.evaluation.comparison.folder import compare
from nnunet_cardiac_ext.evaluation.measure import measure
from nnunet_cardiac_ext.evaluation.metrics import METRICS
from nnunet_cardiac_ext.evaluation.quality import check_quality


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    folders = reference, prediction = write_study(root, subjects=3)
    out = root / "out"
    evaluate(*folders, out, by=["group"], workers=1, quiet=True)
    evaluate(reference, reference, root / "perfect", workers=1, quiet=True)
    measure(reference, out / "measure_reference", workers=1, quiet=True)
    measure(prediction, out / "measure_prediction", workers=1, quiet=True)
    check_quality(prediction, out / "quality", workers=1, quiet=True)
    compare([out, root / "perfect"], out / "comparison", quiet=True)
    lines = ("case,slice,region,predicted,ordered", "a,0,base,base,base", "a,1,apex,middle,apex", "a,2,,apex,apex")
    (out / "classification.csv").write_text("\n".join(lines) + "\n")
    fold = root / "Dataset001_Hearts" / "SomeTrainer__nnUNetPlans__2d" / "fold_0"
    fold.mkdir(parents=True)
    stamp = "2026-01-02 03:04:05: "
    lines = ("Epoch 0", "train_loss 0.5", "val_loss 0.25", "Pseudo dice [0.5]", "Current learning rate: 0.01")
    (fold / "training_log_2026.txt").write_text("".join(f"{stamp}{line}\n" for line in lines))
    return root


@pytest.fixture(scope="module")
def page(study):
    model = study / "Dataset001_Hearts" / "SomeTrainer__nnUNetPlans__2d"
    return report(study / "out", title="Two hearts & more", model=model, quiet=True).read_text(encoding="utf-8")


def test_page_is_well_formed_and_loads_nothing_from_outside(page):
    parsed = Page(page)
    assert parsed.open == []
    assert parsed.links
    assert all(link.startswith(("data:", "#")) for link in parsed.links)
    assert not {"script", "link", "iframe", "img"} & {tag for tag, _ in parsed.tags}
    assert not re.search(r"@import|url\((?!#|\"#|'#)", page)


def test_page_says_what_was_evaluated(page):
    assert "<h1>Two hearts &amp; more</h1>" in page
    assert "3 subjects, 6 images" in page
    assert "nnunet-cardiac evaluate -ref" in page
    for metric in (METRICS[name] for name in ("dice", "hd95", "assd")):
        assert metric.definition.split(".")[0].replace("&", "&amp;") in page


def test_page_shows_every_slice_of_its_cases_with_both_contours(page):
    slices = [attributes for tag, attributes in Page(page).tags if attributes.get("class") == "slice"]
    hearts = page.count('<article class="heart">')
    assert hearts * 5 <= len(slices) <= hearts * 6
    assert all(re.search(r"slice \d, \w+: image.*Dice RV 0\.\d\d", found["aria-label"]) for found in slices)
    assert page.count('class="reference"') == page.count('class="predicted"') == 3 * len(slices)
    for place in ("Best case", "Median case", "Worst case"):
        assert place in page


def test_page_has_every_section_whose_data_are_there(page):
    assert re.findall("<h2>([^<]*)</h2>", page) == [
        "Overlap and distance", "Dice from base to apex", "Agreement of clinical numbers",
        "Clinical numbers", "The wall by segment", "Quality control", "Slices and contours", "Cases worth a look",
        "By group", "Models compared", "Region classifier", "Training", "Definitions", "How this was made",
    ]  # fmt: skip
    contents = page[page.index('<nav class="contents"') : page.index("</nav>")]
    assert set(re.findall('href="#([^"]*)"', contents)) == set(re.findall(r'<(?:section|footer) id="([^"]*)"', page))


def test_page_shows_both_answers_of_the_region_classifier(page):
    section = page[page.index('<section id="classifier">') : page.index('<section id="training">')]
    assert re.findall("<h3>([^<]*)</h3>", section) == ["Most probable region", "In anatomical order"]
    assert "2 slices of 1 image; 1 more slice left out, whose region the labels do not tell." in section
    # Base is found, with precision 1, and apex is not: half of the weight at precision 1.
    assert "50.0 % of 2 slices were given their region; mean precision 50.0 %." in section
    assert "100.0 % of 2 slices were given their region; mean precision 100.0 %." in section


def test_every_figure_says_what_it_shows_with_numbers(page):
    pictures = [found for tag, found in Page(page).tags if tag == "svg" and "aria-hidden" not in found]
    assert all(re.search(r"\d", found["aria-label"]) for found in pictures)
    labels = [found["aria-label"] for found in pictures]
    for part in ("Dice of LV from base to apex", "LV EF: difference over mean, bias", "Wall thickness at end-diastole"):
        assert any(part in label for label in labels)
    assert "Loss by epoch: fold 0 ends at 0.500 training, 0.250 validation after 1 epoch" in labels


def test_run_facts_name_commands_model_and_seed(page):
    model = "SomeTrainer, configuration 2d of nnUNetPlans, data set Dataset001_Hearts"
    for part in ("nnunet-cardiac measure -i", model, "none: weights and batches were drawn at random"):
        assert part in page


def test_page_adapts_to_dark_screens_narrow_screens_and_paper(page):
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 30rem", 'name="viewport"'):
        assert rule in page


def test_page_stays_small(page):
    assert len(page.encode()) < 1_500_000


def test_every_figure_has_ids_of_its_own(page):
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = [link[1:] for link in parsed.links if link.startswith("#")] + re.findall(r"url\(#([^)]*)\)", page)
    assert set(references) == set(ids)


def test_sections_without_data_are_left_out(study, tmp_path):
    evaluate(study / "labelsTr", study / "pred", tmp_path / "out", workers=1, quiet=True)
    page = report(tmp_path / "out", quiet=True).read_text(encoding="utf-8")
    for title in ("Clinical numbers", "The wall by segment", "Quality control", "Models compared", "Training"):
        assert title not in page


def test_chosen_cases_are_the_ones_that_are_shown(study, tmp_path):
    page = report(study / "out", output=tmp_path / "a.html", cases=["patient001_ES"], quiet=True).read_text("utf-8")
    assert re.findall("<h3>Chosen case: ([^<]*)</h3>", page) == ["patient001_ES"]
    with pytest.raises(UsageError, match="--cases: expected cases of this folder"):
        report(study / "out", output=tmp_path / "b.html", cases=["nobody"], quiet=True)
    assert not (tmp_path / "b.html").exists()


def test_pages_of_all_cases_are_linked(study, tmp_path):
    page = report(study / "out", output=tmp_path / "a.html", all_cases=True, quiet=True).read_text("utf-8")
    (address,) = re.findall('href="(a_cases/[^"]*)"', page)
    text = (tmp_path / address).read_text("utf-8")
    assert text.count('<article class="heart">') == 6
    assert Page(text).open == []
    assert 'href="../a.html"' in text


def test_predictions_without_a_reference_are_measured_checked_and_shown(study, tmp_path):
    path = report(prediction=study / "pred", images=study / "imagesTr", output=tmp_path / "p.html", quiet=True)
    page = path.read_text("utf-8")
    assert "3 subjects, 6 images. Predicted contours; there is no reference." in page
    assert re.findall("<h2>([^<]*)</h2>", page) == [
        "Clinical numbers", "The wall by segment", "Quality control", "Slices and contours", "Cases worth a look",
        "How this was made",
    ]  # fmt: skip
    assert "Dice" not in page[page.index("<main>") :]
    assert 'class="reference"' not in page
    assert 'class="predicted"' in page
    assert (tmp_path / "quality" / "quality.csv").is_file()
    assert Page(page).open == []


def test_predictions_alone_go_beside_their_folder_and_labels_are_not_touched(tmp_path):
    _, prediction = write_study(tmp_path, subjects=1)
    before = sorted(prediction.iterdir())
    path = report(prediction=prediction, quiet=True)
    assert path == (tmp_path / "pred_report" / "report.html").resolve()
    assert sorted(prediction.iterdir()) == before


def test_nothing_to_report_on_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"expected an evaluation \(-i\) or a folder of predictions \(-pred\)"):
        report(quiet=True)
    with pytest.raises(UsageError, match="expected a folder with images"):
        report(prediction=tmp_path / "none", quiet=True)
    (tmp_path / "page").mkdir()
    with pytest.raises(UsageError, match="expected the name of a page"):
        report(tmp_path, output=tmp_path / "page", quiet=True)


def test_page_appears_where_it_is_asked_for(study, tmp_path):
    path = report(study / "out", output=tmp_path / "new" / "page.html", quiet=True)
    assert path == tmp_path / "new" / "page.html"
    assert path.is_file()


def test_page_of_one_case_without_images_phases_or_groups(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    (tmp_path / "cases.csv").unlink()
    (prediction / "patient000_ES.nii.gz").unlink()
    for path in (tmp_path / "imagesTr").iterdir():
        path.unlink()
    (tmp_path / "imagesTr").rmdir()
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    page = report(tmp_path / "out", quiet=True).read_text(encoding="utf-8")
    assert "1 reference image has no prediction" in page
    assert "Only case" in page
    assert "LV EF" not in page
    assert "nan" not in re.sub(r"<[^>]*>|\s+", " ", page[page.index("<body") :])


def test_failures_and_missing_files_are_said_on_the_page(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    (prediction / "patient000_ES.nii.gz").write_bytes(b"broken")
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    (prediction / "patient000_ED.nii.gz").unlink()
    page = report(tmp_path / "out", quiet=True).read_text(encoding="utf-8")
    assert "1 image could not be scored" in page
    assert page.count("cannot be read as an image") == 2


def test_a_folder_that_is_no_evaluation_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"evaluation\.json: cannot be read"):
        report(tmp_path, quiet=True)


def test_spoiled_tables_and_absent_folders_are_one_line_errors(tmp_path):
    evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", workers=1, quiet=True)
    with pytest.raises(UsageError, match="expected a folder with images"):
        report(tmp_path / "out", images=tmp_path / "none", quiet=True)
    metrics = tmp_path / "out" / "metrics.csv"
    metrics.write_text(metrics.read_text().replace("unit", "units", 1))
    with pytest.raises(UsageError, match=r"metrics\.csv: expected the columns case, structure"):
        report(tmp_path / "out", quiet=True)
    (tmp_path / "out" / "evaluation.json").write_text("{}")
    with pytest.raises(UsageError, match=r"evaluation\.json: expected the keys by, command"):
        report(tmp_path / "out", quiet=True)


def test_image_of_another_shape_is_said_on_the_page(tmp_path):
    evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", workers=1, quiet=True)
    for path in (tmp_path / "imagesTr").iterdir():
        write_volume(path, heart(slices=3))
    page = report(tmp_path / "out", quiet=True).read_text(encoding="utf-8")
    assert page.count("as in the reference, got 3 x 24 x 24") == 2


def test_predictions_of_another_shape_than_those_evaluated_are_said_on_the_page(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    for path in prediction.iterdir():
        write_volume(tmp_path / "other" / path.name, heart(slices=3))
    page = report(tmp_path / "out", prediction=tmp_path / "other", quiet=True).read_text(encoding="utf-8")
    assert page.count("as in the reference, got 3 x 24 x 24") == 2
