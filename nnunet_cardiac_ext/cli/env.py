"""`nnunet-cardiac env`: print the shell exports that let nnU-Net's own commands find the trainers."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnunet_cardiac_ext.discovery import SHELLS, shell_exports

EPILOG = """
sh, bash, zsh   eval "$(nnunet-cardiac env --root DIR)"
fish            nnunet-cardiac env --root DIR --shell fish | source
PowerShell      nnunet-cardiac env --root DIR --shell powershell | Out-String | Invoke-Expression
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--root", type=Path, required=True, metavar="DIR",
        help="folder that holds nnUNet_raw, nnUNet_preprocessed and nnUNet_results; made if need be",
    )  # fmt: skip
    parser.add_argument("--shell", choices=tuple(SHELLS), default="sh", help="whose language to print (default: sh)")


def run(arguments: argparse.Namespace) -> int:
    """Make the three directories and print the exports, nothing else."""
    print(shell_exports(arguments.root, arguments.shell))
    return 0
