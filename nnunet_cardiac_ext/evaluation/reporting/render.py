"""Templates with what they all need."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from nnunet_cardiac_ext import __version__
from nnunet_cardiac_ext.evaluation.comparison.page import p_text
from nnunet_cardiac_ext.evaluation.reporting.words import count, number, unit_name


def render(template: str, **content: Any) -> str:
    """Return the page of a template; whatever it asks for has to be in `content`."""
    return _environment().get_template(template).render(version=__version__, **content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nnunet_cardiac_ext.evaluation"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"number": number, "p_text": p_text, "count": count, "unit": unit_name}
    return environment
