"""Trainers: each composes an architecture, a loss, a loader and an optimiser. One is imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

from nnunet_cardiac_ext.registry import TRAINERS


def __getattr__(name: str) -> Any:
    if name not in TRAINERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(TRAINERS[name].module), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *TRAINERS])
