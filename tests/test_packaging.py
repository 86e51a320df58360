"""What is imported is declared, and what is declared is imported."""

import ast
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGES = ("nnunet_cardiac_ext", "dataset_conversion", "inference_pipelines")


def imported_modules():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.split(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    yield node.module.split(".")[0]


def normalised(name):
    return name.lower().replace("_", "-")


def test_imports_and_declared_dependencies_are_the_same():
    distributions = packages_distributions()
    foreign = {name for name in imported_modules() if name not in sys.stdlib_module_names and name not in PACKAGES}
    imported = {normalised(distributions[name][0]) for name in foreign}
    declared = {
        normalised(requirement.name)
        for requirement in map(Requirement, requires("nnunet-cardiac-ext"))
        if not (requirement.marker and "extra" in str(requirement.marker))
    }
    assert imported == declared
