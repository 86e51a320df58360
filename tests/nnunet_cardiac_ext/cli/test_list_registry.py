"""`nnunet-cardiac list`: complete in all three forms, and without torch."""

import json
import subprocess
import sys

import pytest

from nnunet_cardiac_ext import registry
from nnunet_cardiac_ext.cli.main import main

NAMES = [
    *registry.DATA_SETS, *registry.TRAINERS, *registry.PRESETS, *registry.PRESET_GROUPS, *registry.PIPELINES,
]  # fmt: skip


@pytest.mark.parametrize("layout", [[], ["--json"], ["--markdown"]])
def test_every_name_is_listed(layout, capsys):
    assert main(["list", *layout]) == 0
    output = capsys.readouterr().out
    assert [name for name in NAMES if name not in output] == []


def test_json_holds_every_attribute(capsys):
    main(["list", "--json"])
    content = json.loads(capsys.readouterr().out)
    assert [trainer["name"] for trainer in content["trainers"]] == list(registry.TRAINERS)
    preset = next(preset for preset in content["presets"] if preset["name"] == "region-sampling")
    assert preset["settings"] == {"sampling_ratio": 20.0}
    assert preset["trainer"] == "RegionSamplingTrainer"
    group = next(group for group in content["preset_groups"] if group["name"] == "region-cascade")
    assert group["members"]["apex"] == "region-apex"


def test_markdown_tables_have_as_many_cells_in_each_row_and_link_to_pages(capsys):
    main(["list", "--markdown"])
    output = capsys.readouterr().out
    for table in output.strip().split("\n\n"):
        assert len({line.count(" | ") for line in table.splitlines()}) == 1
    assert "[`RegionSamplingTrainer`](docs/methods/region_sampling.md)" in output


def test_columns_of_the_plain_list_are_aligned(capsys):
    main(["list"])
    for table in capsys.readouterr().out.strip().split("\n\n"):
        second = table.splitlines()[0].split()[1] if not table.startswith("data set") else "name"
        column = table.splitlines()[0].index(second)
        assert all(line[column - 2 : column] == "  " and line[column] != " " for line in table.splitlines())


def test_json_and_markdown_exclude_each_other(capsys):
    assert main(["list", "--json", "--markdown"]) == 2


def test_listing_loads_neither_torch_nor_nnunet_nor_numpy():
    code = "import sys; from nnunet_cardiac_ext.cli.main import main; main(['list']); "
    code += "sys.exit(bool({'torch', 'nnunetv2', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
