from dataclasses import replace

import numpy as np
import pytest
from helpers.drawn_hearts import cine_stack, lge_stack, mouse_stack, systolic_stack
from helpers.spoiled_hearts import CINE_DEFECTS, LGE_DEFECTS

from nnunet_cardiac_ext.evaluation.quality.checks import CHECKS, check_phases, check_stack
from nnunet_cardiac_ext.evaluation.quality.phases import PhasePair, stack_facts

# Too small to be seen, or not to be seen without the image: docs/quality.md shows how often they are found.
HARD = ("moved by 5 mm", "moved by 10 mm", "2 mm radius", "10 degrees", "half its size", "most basal slice")


def found_in(stacks):
    flags = [flag for stack in stacks for flag in check_stack("p1", stack)]
    if len(stacks) == 2:
        flags += check_phases(("p1", "p1"), PhasePair(*map(stack_facts, stacks)))
    return {flag.check for flag in flags}


def easy(defects):
    return [defect for defect in defects if not any(words in defect.kind for words in HARD)]


def cine_pair():
    return cine_stack(), systolic_stack()


@pytest.mark.parametrize("stacks", [cine_pair(), (lge_stack(),), (mouse_stack(),)], ids=["cine", "lge", "mouse"])
def test_drawn_hearts_are_not_flagged(stacks):
    assert found_in(stacks) == set()


@pytest.mark.parametrize("defect", easy(CINE_DEFECTS), ids=lambda defect: defect.kind)
def test_cine_defects_are_found_by_their_check(defect):
    pair, generator = cine_pair(), np.random.default_rng(0)
    spoiled = defect.spoil(pair if defect.both_phases else pair[0], generator)
    assert found_in(spoiled if defect.both_phases else (spoiled, pair[1])) & set(defect.checks)


@pytest.mark.parametrize("defect", easy(LGE_DEFECTS), ids=lambda defect: defect.kind)
def test_lge_defects_are_found_by_their_check(defect):
    spoiled = defect.spoil(lge_stack(), np.random.default_rng(0))
    assert found_in([spoiled]) & set(defect.checks)


def test_a_broken_mouse_heart_is_found():
    stack = mouse_stack()
    rows, _ = np.indices(stack.array.shape[1:])
    stack.array[4][(rows > 46) & (rows < 51)] = 0
    assert "open-ring" in found_in([stack])


def test_single_slices_are_no_incomplete_stacks():
    array = cine_stack().array[:1].copy()
    array[array == 2] = 0
    assert found_in([replace(cine_stack(), array=array)]) == set()
    with_hole = array.copy()
    with_hole[0, 40:43, 55:58] = 0
    assert found_in([replace(cine_stack(), array=with_hole)]) == {"holes"}


def test_checks_that_need_other_structures_are_silent():
    stack = cine_stack()
    only_rv = replace(stack, array=np.where(stack.array == 1, 1, 0).astype(np.uint8), labels={"RV": 1})
    assert found_in([only_rv]) == set()


def test_a_flag_of_both_phases_stands_at_both_cases():
    first, second = (stack_facts(stack) for stack in cine_pair())
    flags = list(check_phases(("p1_ED", "p1_ES"), PhasePair(second, first)))
    # The LV and the RV, each at both cases.
    assert [flag.case for flag in flags if flag.check == "es-larger"] == ["p1_ED", "p1_ES"] * 2


def test_names_are_unique_and_every_check_says_what_it_means_and_where_its_threshold_is_from():
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.meaning and check.basis for check in CHECKS)


@pytest.mark.real_data
def test_expert_labels_are_hardly_ever_flagged(real_data):
    import nibabel

    flagged = 0
    paths = sorted((real_data / "acdc" / "training").glob("*/*_gt.nii.gz"))
    for path in paths:
        image = nibabel.load(path)
        spacing = tuple(map(float, image.header.get_zooms()[::-1]))
        stack = replace(cine_stack(), array=np.asarray(image.dataobj).T.astype(np.uint8), spacing=spacing)
        flagged += bool(list(check_stack(path.name, stack)))
    assert flagged <= 0.1 * len(paths)
