"""The only module that nnU-Net sees in `nnUNet_extTrainer`: it hands out the trainers of the installed package.

nnU-Net drops the modules that it imported from that folder after each lookup. A trainer defined here could then not be
pickled and would be another class at the next lookup; one that lives in the installed package stays what it is.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from nnunet_cardiac_ext import trainers

    return getattr(trainers, name)
