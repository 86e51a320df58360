"""The validated `"cardiac"` block of a plans configuration: how a network is trained, as data.

Stock nnU-Net's values are the defaults; a trainer puts its paper's over them, the block puts the user's over those.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnunet_cardiac_ext.errors import UsageError

BLOCK = "cardiac"


def _setting(
    default: Any,
    group: str,
    summary: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    only_with: Mapping[str, tuple[Any, ...]] | None = None,
) -> Any:
    """Declare a setting: what it means, which values it takes, and beside which other settings it has an effect."""
    bounds = {"above": above, "minimum": minimum, "below": below, "maximum": maximum}
    rules = {"group": group, "summary": summary, "choices": choices, "only_with": only_with or {}}
    return dataclasses.field(default=default, metadata=rules | bounds)


@dataclass(frozen=True)
class CardiacSettings:
    """Settings of a training; the summary of each field is in its metadata and in docs/methods/settings.md."""

    num_epochs: int = _setting(1000, "length", "number of epochs", minimum=1)
    iterations_per_epoch: int = _setting(250, "length", "training batches per epoch", minimum=1)
    val_iterations_per_epoch: int = _setting(50, "length", "validation batches per epoch", minimum=1)
    save_every: int = _setting(50, "length", "epochs between two `checkpoint_latest.pth`", minimum=1)
    final_validation: bool = _setting(
        True, "length", "predict the fold's validation cases when training ends; `--val` makes up for it"
    )

    optimizer: str = _setting(
        "sgd", "optimiser", "sgd is with Nesterov momentum", choices=("sgd", "adam", "adamw")
    )  # fmt: skip
    initial_lr: float = _setting(0.01, "optimiser", "learning rate at the start", above=0)
    weight_decay: float = _setting(3e-5, "optimiser", "weight decay", minimum=0)
    momentum: float = _setting(
        0.99, "optimiser", "Nesterov momentum", minimum=0, below=1, only_with={"optimizer": ("sgd",)}
    )
    schedule: str = _setting(
        "poly",
        "optimiser",
        "learning rate over the epochs: poly is nnU-Net's, exponential falls by one factor each epoch, none keeps it",
        choices=("poly", "plateau", "steps", "exponential", "none"),
    )
    plateau_patience: int = _setting(
        10, "optimiser", "epochs without a better validation loss before the learning rate falls", minimum=0,
        only_with={"schedule": ("plateau",)},
    )  # fmt: skip
    plateau_factor: float = _setting(
        0.1, "optimiser", "what the learning rate is then multiplied by", above=0, below=1,
        only_with={"schedule": ("plateau",)},
    )  # fmt: skip
    plateau_min_delta: float = _setting(
        1e-4, "optimiser", "by how much the validation loss must fall to count as better", minimum=0,
        only_with={"schedule": ("plateau",)},
    )  # fmt: skip
    step_epochs: tuple[int, ...] = _setting(
        (), "optimiser", "epochs from which on the learning rate is lower by a further factor, ascending", minimum=1,
        only_with={"schedule": ("steps",)},
    )  # fmt: skip
    step_factor: float = _setting(
        0.1, "optimiser", "that factor", above=0, below=1, only_with={"schedule": ("steps",)}
    )  # fmt: skip

    final_lr: float = _setting(
        1e-6, "optimiser", "learning rate of the last epoch", above=0, only_with={"schedule": ("exponential",)}
    )  # fmt: skip

    deep_supervision: bool = _setting(True, "network", "losses also at the decoder's coarser outputs")
    deep_supervision_weights: tuple[float, ...] | None = _setting(
        None, "network",
        "weight of the loss at each output, finest first, taken as given; null: nnU-Net's, each half of the one before",
        minimum=0, only_with={"deep_supervision": (True,)},
    )  # fmt: skip
    autocast: str = _setting(
        "auto", "network",
        "arithmetic in training: auto is nnU-Net's (float16 on CUDA, else float32), off is float32, bf16 is bfloat16 "
        "(float32 on an x86 processor without bfloat16 arithmetic)",
        choices=("auto", "off", "bf16"),
    )  # fmt: skip
    channels_last: bool = _setting(
        False,
        "network",
        "memory layout with the channels last; on a CPU faster with batch normalisation, slower without",
    )

    initial_weights: str | None = _setting(
        None, "network",
        "checkpoint of a network of the same shape to start from, `{fold}` for the fold, relative to the data set's "
        "folder of trained models; null: random weights",
    )  # fmt: skip

    augmentation: str = _setting(
        "nnunet", "data",
        "nnunet: all; light: without blur and simulated low resolution, the two that cost most; none: mirroring only; "
        "rigid: shift, rotation and mirroring within slices, as in paper 000; one-of: one of mirroring, elastic "
        "deformation, rotation with scaling, blur, gamma and noise for each image, as in paper 003",
        choices=("nnunet", "light", "none", "rigid", "one-of"),
    )  # fmt: skip
    mirroring: bool = _setting(True, "data", "mirrored images in training, and mirrored copies averaged in prediction")
    oversample_foreground: float = _setting(
        0.33, "data", "share of a batch whose patches are certain to hold foreground", minimum=0, maximum=1
    )
    seed: int | None = _setting(None, "data", "seed of weights, batches and augmentation; null: not seeded", minimum=0)

    sampling_ratio: float = _setting(
        20.0, "region sampling",
        "how much more often a slice at the base or apex is drawn than one in the middle; the paper has 4 and 20",
        minimum=1,
    )  # fmt: skip

    gdl_weight: float = _setting(1.0, "distance loss", "weight of the generalized Dice loss", minimum=0)
    bce_weight: float = _setting(1.0, "distance loss", "weight of the balanced cross-entropy", minimum=0)
    ddl_weight: float = _setting(3.0, "distance loss", "weight of the distance-derived loss", minimum=0)
    ddl_dims: int = _setting(
        2, "distance loss", "2 measures distances within each slice, 3 through the stack", minimum=2, maximum=3
    )

    mixup_probability: float = _setting(
        0.0, "anatomy prior",
        "share of the slices with a heart that are blended with the heart of another case, in 2D", minimum=0, maximum=1,
    )  # fmt: skip
    mixup_height: float = _setting(
        0.1, "anatomy prior", "how far the heights of two blended slices may differ, 0 the base and 1 the apex",
        minimum=0, maximum=1,
    )  # fmt: skip
    awce_normalization: str = _setting(
        "mean", "anatomy prior",
        "class weights of the automated weighted cross-entropy: mean gives those of an image the mean 1, none leaves "
        "each free above 0",
        choices=("mean", "none"),
    )  # fmt: skip
    awce_barrier: float = _setting(
        1.0, "anatomy prior",
        "weight of the mean of -log w, in units of the loss without weights; it keeps the class weights w from 0",
        minimum=0,
    )  # fmt: skip
    neighborhood_weight: float = _setting(
        0.01, "anatomy prior", "weight of the neighbourhood penalty, 0 for none", minimum=0
    )
    neighborhood_threshold: float = _setting(
        0.1, "anatomy prior", "the penalty looks at voxels where both regions are more probable than this",
        minimum=0, below=1,
    )  # fmt: skip
    neighborhood_pairs: tuple[str, ...] = _setting(
        ("NOREFLOW:INFARCT+NOREFLOW", "INFARCT+NOREFLOW:MYO+INFARCT+NOREFLOW"), "anatomy prior",
        "regions of which one lies in the other, INNER:OUTER, each a sum of label names",
    )  # fmt: skip

    backbone: str = _setting(
        "densenet121", "region classifier", "torchvision's network that tells the region of a slice",
        choices=("alexnet", "densenet121", "mobilenet_v2", "resnet18", "shufflenet_v2", "squeezenet", "vgg11_bn"),
    )  # fmt: skip
    pretrained: str | None = _setting(
        None, "region classifier",
        "file of torchvision's ImageNet weights of the backbone to start from; null: random weights",
    )  # fmt: skip
    class_weights: tuple[float, ...] | None = _setting(
        None, "region classifier",
        "weights of non-cardiac, base, middle and apex in the cross-entropy; null: all the same, as in the paper",
        above=0,
    )  # fmt: skip

    stage1_checkpoint: str | None = _setting(
        None, "crocnet",
        "checkpoint of an E2AUNetTrainer with the same widths that CroCNet's stage 1 starts from; written as "
        "initial_weights is; null: both stages start at random and are trained together",
    )  # fmt: skip
    freeze_stage1: bool = _setting(
        False, "crocnet", "stage 1 keeps the weights and batch statistics that it starts with; needs stage1_checkpoint"
    )
    stage1_loss_weight: float = _setting(
        1.0, "crocnet", "weight of the loss of stage 1's own result beside that of both stages; 0 leaves it out",
        minimum=0, only_with={"freeze_stage1": (False,)},
    )  # fmt: skip
    transformer_lr_factor: float = _setting(
        1.0, "all-slice fusion",
        "learning rate of the transformers between the slices as a multiple of that of the convolutions", above=0,
    )  # fmt: skip
    presence_weight: float = _setting(
        0.1, "classifier guidance", "weight of the classification of what a slice holds beside the segmentation",
        minimum=0,
    )  # fmt: skip


KNOWN = tuple(field.name for field in dataclasses.fields(CardiacSettings))


def read_settings(
    block: Mapping[str, Any] | None, *, defaults: Mapping[str, Any] | None = None, where: str = BLOCK
) -> CardiacSettings:
    """Validate a `"cardiac"` block.

    Args:
        block: The block as JSON has it; None where the configuration has none.
        defaults: Values of the method, put over nnU-Net's before the block.
        where: What error messages call the block.

    Raises:
        UsageError: An unknown key, a wrong type, a value out of range, or a key that has no effect beside the others.
    """
    if block is None:
        block = {}
    if not isinstance(block, Mapping):
        raise UsageError(f"{where}: expected a JSON object, got {block!r}")
    unknown = [key for key in block if key not in KNOWN]
    if unknown:
        raise UsageError(f"{where}: unknown key {', '.join(map(str, unknown))}; known are {', '.join(KNOWN)}")
    values = {key: checked_value(key, value, where) for key, value in {**(defaults or {}), **block}.items()}
    settings = CardiacSettings(**values)
    _check_combination(settings, block, where)
    return settings


def put_over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with changes over them, less those of the base that the changes leave without an effect.

    So a preset's patience of its plateau goes when another schedule is chosen. What the changes themselves name stays,
    for `read_settings` to refuse. Values may be texts as `--set` takes them; keys that are no settings pass.
    """
    merged = {**base, **changes}
    values = {key: value_of(value) if isinstance(value, str) else value for key, value in merged.items()}
    return {key: value for key, value in merged.items() if key in changes or not _idle(key, values)}


def value_of(text: str) -> Any:
    """Return what a text on the command line stands for: JSON, a list with commas (16,32,64), or else the text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [value_of(part.strip()) for part in text.split(",")] if "," in text else text


def checked_value(key: str, value: Any, where: str = BLOCK) -> Any:
    """Return one setting in its own type (lists become tuples, a whole number may stand for a float, one for a list).

    Raises:
        UsageError: The value has the wrong type or is out of range.
    """
    rules = _FIELDS[key].metadata
    converted = _convert(value, _TYPES[key])
    if converted is _WRONG:
        raise UsageError(f"{where}.{key}: expected {_expected(key)}, got {value!r}")
    for part in converted if isinstance(converted, tuple) else (converted,):
        if rules["choices"] and part not in rules["choices"]:
            raise UsageError(f"{where}.{key}: expected {_expected(key)}, got {value!r}")
        if _is_number(part) and not _in_range(part, rules):
            raise UsageError(f"{where}.{key}: expected {_expected(key)}, got {value!r}")
    return converted


def settings_table() -> str:
    """Return docs/methods/settings.md's table of all settings in Markdown, one row per key."""
    lines = ["| key | group | default | values | meaning |", "|---|---|---|---|---|"]
    for field in dataclasses.fields(CardiacSettings):
        rules = field.metadata
        needs = "".join(f" (with {k} {' or '.join(map(_json, v))})" for k, v in rules["only_with"].items())
        cells = (f"`{field.name}`", rules["group"], f"`{_json(field.default)}`", _expected(field.name))
        lines.append("| " + " | ".join((*cells, rules["summary"] + needs)) + " |")
    return "\n".join(lines)


_FIELDS = {field.name: field for field in dataclasses.fields(CardiacSettings)}
_TYPES = typing.get_type_hints(CardiacSettings)
_WRONG = object()
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}


def _idle(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the other settings that keep one from having an effect, with their values; empty where it has."""
    if key not in _FIELDS or values[key] is None:
        return {}
    needed = _FIELDS[key].metadata["only_with"]
    found = {other: values.get(other, _FIELDS[other].default) for other in needed}
    return {other: value for other, value in found.items() if value not in needed[other]}


def _check_combination(settings: CardiacSettings, given: Mapping[str, Any], where: str) -> None:
    values = dataclasses.asdict(settings)
    for key in given:
        for other, got in _idle(key, values).items():
            wanted = " or ".join(map(_json, _FIELDS[key].metadata["only_with"][other]))
            raise UsageError(f"{where}.{key}: has an effect only with {other} {wanted}, got {other} {_json(got)}")
    steps = settings.step_epochs
    if settings.schedule == "steps" and not steps:
        raise UsageError(f"{where}.step_epochs: expected at least one epoch with schedule steps, got none")
    if list(steps) != sorted(set(steps)):
        raise UsageError(f"{where}.step_epochs: expected ascending epochs, got {list(steps)}")
    weights = settings.deep_supervision_weights
    if weights is not None and not any(weights):
        raise UsageError(f"{where}.deep_supervision_weights: expected a weight above 0, got {list(weights)}")
    regions = settings.class_weights
    if regions is not None and len(regions) != 4:
        raise UsageError(f"{where}.class_weights: expected 4 numbers, one per region, got {list(regions)}")


def _convert(value: Any, kind: Any) -> Any:
    """Return `value` as `kind`, or `_WRONG`."""
    if isinstance(kind, types.UnionType):
        converted = (_convert(value, part) for part in typing.get_args(kind))
        return next((found for found in converted if found is not _WRONG), _WRONG)
    if typing.get_origin(kind) is tuple:
        listed = value if isinstance(value, list | tuple) else [value]
        parts = tuple(_convert(part, typing.get_args(kind)[0]) for part in listed)
        return _WRONG if any(part is _WRONG for part in parts) else parts
    if kind is float and _is_number(value):
        return float(value)
    return value if type(value) is kind else _WRONG


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_range(number: float, rules: Mapping[str, Any]) -> bool:
    within = rules["minimum"] <= number <= rules["maximum"] and rules["above"] < number < rules["below"]
    return within and math.isfinite(number)


def _expected(key: str) -> str:
    """Say in words which values a setting takes: 'a whole number >= 1 or null'."""
    rules = _FIELDS[key].metadata
    if rules["choices"]:
        return "one of " + ", ".join(rules["choices"])
    kinds = typing.get_args(_TYPES[key]) if isinstance(_TYPES[key], types.UnionType) else (_TYPES[key],)
    limits = (("above", ">"), ("minimum", ">="), ("below", "<"), ("maximum", "<="))
    bounds = " and ".join(f"{sign} {rules[name]:g}" for name, sign in limits if math.isfinite(rules[name]))
    words = []
    for kind in kinds:
        name = _NAMES.get(kind) or "a list of " + _NAMES[typing.get_args(kind)[0]].split(" ", 1)[-1] + "s"
        words.append(f"{name} {bounds}".strip() if kind is not type(None) else name)
    return " or ".join(words)


def _json(value: Any) -> str:
    """Write a value as the plans file has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_json, value))}]"
    if _is_number(value):
        return f"{value:g}"
    return {None: "null", True: "true", False: "false"}.get(value, str(value))
