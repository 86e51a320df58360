import pytest

from nnunet_cardiac_ext import reproduce as package
from nnunet_cardiac_ext.cli.main import main


@pytest.fixture
def studies(tmp_path, monkeypatch):
    """Takes the studies instead of running them."""
    taken = []

    def take(study):
        taken.append(study)
        page = tmp_path / "README.md"
        page.write_text("# the page")
        return page

    monkeypatch.setattr(package, "reproduce", take)
    return taken


def test_a_data_set_is_wanted(capsys):
    assert main(["reproduce", "002"]) == 2
    assert "expected -d ID" in capsys.readouterr().err


def test_a_paper_without_a_recipe_is_one_line(capsys):
    assert main(["reproduce", "999", "-d", "27"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_options_become_the_study_and_the_page_is_printed(studies, capsys):
    data = ["-d", "27", "-f", "0", "1", "--seeds", "3", "4"]
    models = ["--models", "baseline", "--once", "sampling4"]
    others = ["--set", "num_epochs=5", "classifier.seed=1", "--tag", "x", "-np", "2"]
    assert main(["reproduce", "002", *data, *models, *others]) == 0
    (study,) = studies
    assert (study.dataset_id, study.folds, study.seeds, study.models) == (27, (0, 1), (3, 4), ("baseline",))
    assert study.once == ("sampling4",)
    settings = {"num_epochs": "5", "classifier.seed": "1"}
    assert (study.settings, study.tag, study.workers) == (settings, "x", 2)
    assert (study.device, study.smoke, str(study.output)) == ("cuda", False, "reproduce-002")
    assert "# the page" in capsys.readouterr().out


def test_a_smoke_run_needs_no_data_set_and_no_gpu(studies):
    assert main(["reproduce", "002", "--smoke"]) == 0
    assert (studies[0].device, studies[0].smoke, str(studies[0].output)) == ("cpu", True, "reproduce-002-smoke")
    assert studies[0].seeds == (None,)
