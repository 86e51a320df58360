"""The table of all quality checks: what each flags, beyond which threshold, and where that comes from.

Thresholds are tuned on half of the labelled ACDC and EMIDEC patients so that expert labels are hardly ever flagged;
benchmarks/quality_detection.py measures the other half. docs/quality.md holds its table.
"""

from __future__ import annotations

from collections.abc import Iterator

from nnunet_cardiac_ext.evaluation.quality import neighbours, phases, scar, shape, wall
from nnunet_cardiac_ext.evaluation.quality.check import Check, Flag, Severity
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack

NOTICE, WARNING, ERROR = Severity.NOTICE, Severity.WARNING, Severity.ERROR
NEVER = "no expert label of the tuning half has any"

STACK_CHECKS: tuple[Check, ...] = (
    Check("absent", "A structure that every heart has is missing or a speck", shape.voxel_counts,
          11, "voxels", ERROR, "more than 10 voxels, the rule of ukbb_cardiac", below=True, stacks_only=True),
    Check("few-slices", "The heart is in so few slices that volumes mean little", shape.slice_counts,
          4, "slices", WARNING, "smallest of the tuning half: 4 (EMIDEC), 6 (ACDC)", below=True, stacks_only=True),
    Check("gap", "A structure is interrupted: slices without it between slices with it", shape.gaps,
          0, "slices", ERROR, NEVER),
    Check("islands", "Pieces of a structure away from its main piece, in 3-D", shape.islands,
          3, "% of the volume", WARNING, "largest of the tuning half: 2.97"),
    Check("fragments", "A structure is in several pieces within one slice", shape.fragments,
          2, "% of the area", WARNING, "largest of the tuning half: 1.7"),
    Check("holes", "A hole in a cavity, or between cavity and wall", shape.holes,
          0.5, "% of the area", WARNING, f"{NEVER}; below it is a pixel or two"),
    Check("border", "The heart touches the edge of the image and may be cut off", shape.border_contacts,
          0, "pixels", WARNING, NEVER),
    Check("open-ring", "The cavity of a middle slice is not closed in by myocardium", wall.open_rings,
          2, "% of its outline", WARNING, f"{NEVER}; below it is a leak of a pixel", stacks_only=True),
    Check("bare-cavity", "A cavity near base or apex lies mostly bare", wall.bare_cavities,
          30, "% of its outline", WARNING, "largest of the tuning half: 15.8, the outflow tract"),
    Check("rv-apart", "The RV does not touch the septum", wall.right_distances,
          2, "pixels", WARNING, "they touch (1 pixel) in every slice of the tuning half"),
    Check("rv-missing", "Many middle slices have a left ventricle but no RV", wall.missing_right,
          50, "%", WARNING, "largest of the tuning half: 40", stacks_only=True),
    Check("area-jump", "The left ventricle's area jumps between neighbouring slices", neighbours.left_area_jumps,
          25, "%", WARNING, "ACDC: at most 17 in the tuning half; one EMIDEC stack with a jump has 37"),
    Check("rv-area-jump", "The RV's area jumps between neighbouring slices", neighbours.right_area_jumps,
          75, "%", NOTICE, "largest of the tuning half: 74"),
    Check("shifted-slice", "A slice lies beside its neighbours, by its contour or by another breath-hold",
          neighbours.slice_shifts, 15, "% of its diameter", WARNING,
          "beyond it: the three misaligned patients of the tuning half"),
    Check("apex-missing", "Neither end of the stack is narrow: it stops before the apex", neighbours.end_areas,
          60, "% of its largest", WARNING, "EMIDEC: at most 55, ACDC: 42, but 90 and 99 in an apical aneurysm"),
    Check("no-taper", "Neither end looks like the base", neighbours.tapering,
          0.05, "(sum of cues)", NOTICE, "smallest of the tuning half: 0.09 (EMIDEC), 0.44 (ACDC)", below=True),
    Check("wrong-end", "The apex is larger than the base: the stack runs against its case table",
          neighbours.wrong_ends, 0, "(sum of cues)", ERROR, "the sign decides"),
    Check("volume-small", "A cavity too small for a human heart: often a wrong spacing", phases.volumes,
          8, "ml", ERROR, "smallest of the tuning half: 13", below=True, stacks_only=True),
    Check("volume-large", "A cavity too large for a human heart: often a wrong spacing", phases.volumes,
          600, "ml", ERROR, "twice the largest of the tuning half (310)", stacks_only=True),
    Check("mass-small", "A myocardium too light for a human heart", phases.masses,
          30, "g", ERROR, "half the smallest of the tuning half (58)", below=True, stacks_only=True),
    Check("mass-large", "A myocardium too heavy for a human heart", phases.masses,
          550, "g", ERROR, "twice the largest of the tuning half (283)", stacks_only=True),
    Check("scar-outside", "Scar away from the healthy myocardium of its slice", scar.scar_outside,
          0, "mm²", WARNING, NEVER),
    Check("no-reflow-outside", "No-reflow without any infarct beside it", scar.no_reflow_outside,
          0, "mm²", WARNING, NEVER),
    Check("no-reflow-bare", "No-reflow is not enclosed by infarct and cavity", scar.no_reflow_uncovered,
          25, "% of its outline", NOTICE, "largest of the tuning half: 8.7"),
    Check("scar-share", "Scar takes up most of the myocardium", scar.scar_shares,
          75, "% of the volume", NOTICE, "largest of the tuning half: 52"),
)  # fmt: skip

PHASE_CHECKS: tuple[Check, ...] = (
    Check("es-larger", "A cavity is larger at end-systole than at end-diastole", phases.systolic_excess,
          0, "%", ERROR, "by the meaning of the words"),
    Check("ef-low", "Ejection fraction too low to be true", phases.ejection_fractions,
          5, "%", WARNING, "smallest of the tuning half: 7, in dilated hearts", below=True),
    Check("ef-high", "Ejection fraction too high to be true", phases.ejection_fractions,
          85, "%", WARNING, "largest of the tuning half: 82; healthy: 58 ± 5 (men), 61 ± 5 (women), Petersen 2017"),
    Check("mass-change", "The myocardium gains or loses mass between the phases", phases.mass_changes,
          40, "%", WARNING, "largest of the tuning half: 31"),
    Check("stroke-mismatch", "The stroke volumes of LV and RV differ greatly", phases.stroke_mismatch,
          50, "% of the larger EDV", NOTICE, "largest of the tuning half: 42; valve leaks make some of it true"),
    Check("phases-opposed", "ED and ES run in opposite directions from base to apex", phases.order_changes,
          0, "(sum of cues)", ERROR, NEVER),
    Check("slices-differ", "The LV is in far more slices of one phase than of the other", phases.slice_changes,
          3, "slices", NOTICE, "largest of the tuning half: 3"),
)  # fmt: skip

CHECKS: tuple[Check, ...] = STACK_CHECKS + PHASE_CHECKS


def check_stack(case: str, stack: LabelStack) -> Iterator[Flag]:
    """Yield what is odd about one image.

    Args:
        case: Name of the case, for the flags.
        stack: Its labels. Checks that need a structure which `stack.labels` does not name have nothing to say.
    """
    for check in STACK_CHECKS:
        if len(stack.array) > 1 or not check.stacks_only:
            yield from check.flags(case, stack)


def check_phases(cases: tuple[str, str], pair: phases.PhasePair) -> Iterator[Flag]:
    """Yield what is odd about ED and ES of one heart, once for each of both: either may be the wrong one.

    Args:
        cases: Names of the case at ED and of that at ES.
        pair: What is known of both.
    """
    for check in PHASE_CHECKS:
        for flag in check.flags(cases[0], pair):
            yield from (flag._replace(case=case) for case in cases)
