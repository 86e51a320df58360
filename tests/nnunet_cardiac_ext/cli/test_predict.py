from nnunet_cardiac_ext import registry
from nnunet_cardiac_ext.cli import predict
from nnunet_cardiac_ext.cli.main import main


def test_every_pipeline_of_the_registry_has_a_command():
    assert set(predict.PIPELINES) == set(registry.PIPELINES)


def test_unknown_pipeline_is_one_line(capsys):
    assert main(["predict", "wishes"]) == 2
    assert "invalid choice: 'wishes'" in capsys.readouterr().err
