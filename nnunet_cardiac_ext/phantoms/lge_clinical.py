"""Clinical text of synthetic patients, in the words, the encoding and the gaps of EMIDEC's files."""

from __future__ import annotations

import numpy as np

# Latin-1's non-breaking space, which stands before the colon of these two keys in the official files.
_BEFORE_COLON = "\u00a0"
_MISSING_SHARE = 0.04


def clinical_text(name: str, *, slice_distance: float, infarct_percent: float, rng: np.random.Generator) -> bytes:
    """Return the text of one patient; what it says goes with the size of the infarct.

    Args:
        name: As its title says it, such as `Case P001`.
        slice_distance: Distance between slices, mm.
        infarct_percent: Infarct in % of the LV's myocardium; 0 for none.
        rng: Source of randomness.
    """
    struck = infarct_percent > 0
    facts = {
        f"Gap between slices{_BEFORE_COLON}": f"{slice_distance:g} mm",
        f"Sex{_BEFORE_COLON}": "M" if rng.random() < 0.75 else "F",
        "Age ": f"{int(np.clip(rng.normal(60, 12), 25, 92))} ",
        "Tobacco ": str(rng.choice([1, 2, 3], p=(0.4, 0.35, 0.25))),
        "Overweight ": _yes(rng, 0.5),
        "Arterial hypertension ": _yes(rng, 0.45),
        "Diabetes ": _yes(rng, 0.2),
        "Familial history of coronary artery disease": _yes(rng, 0.3),
        "ECG (ST +) ": _yes(rng, 0.75 if struck else 0.25),
        "Troponin ": f"{(2.5 * infarct_percent if struck else 1.5) * np.exp(rng.normal(0, 0.6)):.3g}",
        "Killip Max": str(1 + int(rng.random() < 0.015 * infarct_percent)),
        "FEVG ": str(int(np.clip(rng.normal(61 - 0.55 * infarct_percent, 6), 20, 75))),
        "NTProBNP ": str(int(np.exp(rng.normal(5 + 0.04 * infarct_percent, 0.9)))),
    }
    lines = [f"{key}: {'' if rng.random() < _MISSING_SHARE else value}" for key, value in facts.items()]
    return "\r\n".join([name, "", *lines, ""]).encode("latin-1")


def _yes(rng: np.random.Generator, share: float) -> str:
    return "Y" if rng.random() < share else "N"
