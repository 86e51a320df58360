"""Where nnU-Net looks: its three directories, its data set folders, and the folder by which it finds our trainers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from nnunet_cardiac_ext.errors import UsageError, WorkError

RAW, PREPROCESSED, RESULTS = DIRECTORY_VARIABLES = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
TRAINER_VARIABLE = "nnUNet_extTrainer"


def raw_folder() -> Path:
    """Return the folder of raw data sets, nnU-Net's `nnUNet_raw`.

    Raises:
        UsageError: The variable is unset or empty.
    """
    return _directory(RAW)


def preprocessed_folder() -> Path:
    """Return the folder of preprocessed data sets, nnU-Net's `nnUNet_preprocessed`; raises like `raw_folder`."""
    return _directory(PREPROCESSED)


def results_folder() -> Path:
    """Return the folder of trained models, nnU-Net's `nnUNet_results`; raises like `raw_folder`."""
    return _directory(RESULTS)


def dataset_folder(base: Path, dataset_id: int) -> Path:
    """Return the one folder `DatasetXXX_NAME` of a data set in one of nnU-Net's three directories.

    Raises:
        UsageError: There is none, or more than one.
    """
    prefix = f"Dataset{dataset_id:03d}_"
    names = sorted(path.name for path in base.glob("Dataset*_*") if path.is_dir())
    found = [name for name in names if name.startswith(prefix)]
    if not found:
        raise UsageError(f"{base}: expected a folder {prefix}*, found {', '.join(names) or 'no data set'}")
    if len(found) > 1:
        raise UsageError(f"{base}: expected one folder {prefix}*, found {', '.join(found)}; rename the others")
    return base / found[0]


def trainer_folder() -> Path:
    """Return the folder that `nnUNet_extTrainer` has to name: it holds one module that resolves our trainers."""
    return Path(__file__).resolve().parent / "_nnunet_discovery"


def enable_trainers() -> None:
    """Let nnU-Net find our trainers in this process and its children; folders that the user has set are kept."""
    os.environ[TRAINER_VARIABLE] = _trainer_path()


def make_root(root: Path) -> dict[str, Path]:
    """Make nnU-Net's three directories below `root` where they are missing.

    Returns:
        The absolute directory by its variable.

    Raises:
        UsageError: `root` begins with ~ and names no known user.
        WorkError: A directory cannot be made.
    """
    try:
        folders = {variable: root.expanduser().absolute() / variable for variable in DIRECTORY_VARIABLES}
    except RuntimeError as error:
        raise UsageError(f"{root}: expected a folder, got a home directory that is not known") from error
    try:
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"{error.filename or root}: cannot be made ({error.strerror or error})") from error
    return folders


def use_root(root: Path) -> None:
    """Make nnU-Net's three directories below `root` and set their variables for this process and its children."""
    os.environ.update({variable: str(folder) for variable, folder in make_root(root).items()})


def shell_exports(root: Path, shell: str = "sh") -> str:
    """Make nnU-Net's three directories below `root` and return the lines that set all four variables in a shell.

    Args:
        root: Folder of the three directories.
        shell: One of `SHELLS`; "sh" also serves bash, zsh, dash and ksh.

    Raises:
        UsageError: `shell` is unknown.
        WorkError: A directory cannot be made.
    """
    if shell not in SHELLS:
        raise UsageError(f"--shell: expected one of {', '.join(SHELLS)}, got {shell!r}")
    values = {variable: str(folder) for variable, folder in make_root(root).items()}
    values[TRAINER_VARIABLE] = _trainer_path()
    return "\n".join(SHELLS[shell](variable, value) for variable, value in values.items())


def _directory(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f'{variable} is not set; set it with: eval "$(nnunet-cardiac env --root DIR)"')
    return Path(value)


def _trainer_path() -> str:
    ours = str(trainer_folder())
    others = [folder for folder in os.environ.get(TRAINER_VARIABLE, "").split(os.pathsep) if folder.strip()]
    return os.pathsep.join([ours, *(folder for folder in others if folder != ours)])


def _export_sh(variable: str, value: str) -> str:
    return f"export {variable}={shlex.quote(value)}"


def _export_fish(variable: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {variable} '{escaped}'"


def _export_powershell(variable: str, value: str) -> str:
    # PowerShell ends a single-quoted text also at typographic quotes; doubling keeps each of them.
    escaped = "".join(2 * character if character in "'‘’‚‛" else character for character in value)
    return f"$Env:{variable} = '{escaped}'"


SHELLS: Mapping[str, Callable[[str, str], str]] = MappingProxyType(
    {"sh": _export_sh, "fish": _export_fish, "powershell": _export_powershell}
)
