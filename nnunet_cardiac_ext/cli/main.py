"""The command `nnunet-cardiac`: chooses the subcommand, loads only its module, turns failures into one line."""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nnunet_cardiac_ext import __version__
from nnunet_cardiac_ext.errors import CardiacError, UsageError

# Module and one-line help by subcommand. The modules are imported only when asked for: `list` must not load torch.
# Each module has `add_arguments(parser)` and `run(arguments) -> int`.
COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "demo": ("demo", "the whole way on phantoms or on your ACDC folder: data to report"),
        "env": ("env", "print the shell exports that let nnU-Net's own commands find the trainers"),
        "doctor": ("doctor", "check this machine and say how to mend what is wrong"),
        "list": ("list_registry", "data sets, trainers, presets and pipelines that exist"),
        "phantom": ("phantom", "write synthetic hearts with known volumes in a data set's official layout"),
        "convert": ("convert", "turn a downloaded data set into an nnU-Net raw data set"),
        "plan": ("plan", "write a preset or settings of your own into a plans file"),
        "predict": ("predict", "segment images by a pipeline"),
        "merge-regions": ("merge_regions", "merge the segmentations of region models by a region table"),
        "evaluate": ("evaluate", "score a folder of segmentations against a reference"),
        "compare": ("compare", "compare the evaluations of several models: intervals, tests, effect sizes"),
        "quality": ("check_quality", "find odd label images without a reference, with a reason for each"),
        "measure": ("measure", "clinical numbers of a folder of label images: EF, mass, wall, infarct, curves"),
        "report": ("report", "one HTML page from an evaluation"),
        "reproduce": ("reproduce", "a paper's tables and figures, its numbers beside ours"),
    }
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: Arguments without the program's name; by default those of the process.

    Returns:
        The exit code: 0, 1 for failed work, 2 for wrong use.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Of a network library that nnU-Net imports, with torch 2.14 and newer; nothing that a user could do about.
    warnings.filterwarnings("ignore", "`torch.jit.interface` is deprecated", FutureWarning)
    try:
        return _run(arguments)
    except CardiacError as error:
        print(f"nnunet-cardiac: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("nnunet-cardiac: interrupted; run the same command again, it uses what is finished", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of a pipe (`head`) has gone: nobody is left to tell.
        sys.stderr.close()
        return 1


def build_parser(command: str) -> argparse.ArgumentParser:
    """Return the parser of one subcommand; imports that subcommand's module."""
    module_name, summary = COMMANDS[command]
    module = importlib.import_module(f"nnunet_cardiac_ext.cli.{module_name}")
    parser = _Parser(prog=f"nnunet-cardiac {command}", description=summary[0].upper() + summary[1:] + ".")
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{self.prog.removeprefix('nnunet-cardiac ')}: {message} (see {self.prog} -h)")


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        print(f"nnunet-cardiac {__version__}")
        return 0
    command, *rest = arguments
    if command not in COMMANDS:
        raise UsageError(f"expected one of {', '.join(COMMANDS)}, got {command!r}")
    parsed = build_parser(command).parse_args(rest)
    return int(parsed.run(parsed) or 0)


def _overview() -> str:
    lines = ["usage: nnunet-cardiac COMMAND [OPTIONS]", "", "Cardiac MR segmentation on nnU-Net v2.", "", "commands:"]
    width = max(map(len, COMMANDS))
    lines += [f"  {name:<{width}} {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join([*lines, "", "nnunet-cardiac COMMAND -h shows a command's options."])


if __name__ == "__main__":
    sys.exit(main())
