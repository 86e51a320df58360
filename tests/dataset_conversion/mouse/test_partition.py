import numpy as np
import pytest
from scipy import stats

from dataset_conversion.mouse.partition import (
    PARTS,
    AnimalVolume,
    largest_difference,
    parse_ratios,
    partition_animals,
    split_by_part,
)
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError


def colony(count, seed=0):
    """Animals of two sizes with one to four visits of 4 to 9 frames each."""
    generator = np.random.default_rng(seed)
    animals = []
    for number in range(count):
        mean = generator.normal(0.09 if number % 3 else 0.13, 0.012)
        cases = int(generator.integers(1, 5) * generator.integers(4, 10))
        animals.append(AnimalVolume(f"m{number:02d}", tuple(generator.normal(mean, 0.004, cases))))
    return animals


def sides(animals, part_of):
    return {part: [a for a in animals if part_of[a.name] == part] for part in PARTS}


@pytest.mark.parametrize("seed", range(5))
def test_volumes_of_the_parts_do_not_differ(seed):
    animals = colony(60, seed)
    parts = sides(animals, partition_animals(animals, (700, 200, 214), seed=1))
    means = [[animal.mean for animal in part] for part in parts.values()]
    volumes = [[volume for animal in part for volume in animal.volumes] for part in parts.values()]
    # Cases of an animal are alike, so the animals' means are the independent samples to test.
    assert stats.kruskal(*means).pvalue > 0.2
    assert min(stats.ks_2samp(means[0], other).pvalue for other in means[1:]) > 0.2
    assert max(abs(np.mean(v) - np.mean(volumes[0])) for v in volumes) < 0.006


@pytest.mark.parametrize("ratios", [(700, 200, 214), (1, 1, 1), (8, 1, 1)])
def test_shares_of_cases_are_close_to_those_asked_for(ratios):
    animals = colony(60)
    parts = sides(animals, partition_animals(animals, ratios, seed=0))
    cases = np.array([sum(len(a.volumes) for a in part) for part in parts.values()])
    assert cases / cases.sum() == pytest.approx(np.array(ratios) / sum(ratios), abs=0.03)


def test_every_animal_has_one_part_and_no_part_is_empty():
    for count in range(3, 9):
        part_of = partition_animals(colony(count), (90, 5, 5), seed=0)
        assert len(part_of) == count
        assert set(part_of.values()) == set(PARTS)


def test_a_share_of_0_leaves_the_test_part_empty():
    assert set(partition_animals(colony(8), (3, 1, 0), seed=0).values()) == {"train", "val"}


def test_the_same_seed_gives_the_same_partition_whatever_the_order():
    animals = colony(30)
    assert partition_animals(animals, (7, 2, 2), seed=3) == partition_animals(animals[::-1], (7, 2, 2), seed=3)


def test_a_search_beats_a_random_deal():
    animals = colony(40)
    found = largest_difference(animals, partition_animals(animals, (7, 2, 2), seed=0))
    generator = np.random.default_rng(0)
    deals = generator.choice(PARTS, (50, 40), p=[0.6, 0.2, 0.2])
    names = [animal.name for animal in animals]
    by_chance = [largest_difference(animals, dict(zip(names, deal, strict=True))) for deal in deals]
    assert found < np.median(by_chance) / 2


def test_the_difference_is_that_of_scipy():
    animals = colony(20)
    part_of = partition_animals(animals, (1, 1, 0), seed=0)
    a, b = ([v for animal in side for v in animal.volumes] for side in list(sides(animals, part_of).values())[:2])
    assert largest_difference(animals, part_of) == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert np.isnan(largest_difference(animals[:1], part_of))


def test_too_few_animals_are_wrong_use():
    with pytest.raises(UsageError, match="--partition: expected at least 3 animals with labels, got 2"):
        partition_animals(colony(2), (7, 2, 1), seed=0)


@pytest.mark.parametrize("text", ["", "7:2", "7:2:1:1", "a:b:c", "0:2:1", "7:0:1", "7:2:-1", "7:2:nan"])
def test_ratios_that_are_none_are_wrong_use(text):
    with pytest.raises(UsageError, match="--partition: expected shares train:val:test"):
        parse_ratios(text)


def test_ratios_are_read():
    assert parse_ratios("700:200:214") == (700, 200, 214)
    assert parse_ratios("0.8:0.2:0") == (0.8, 0.2, 0)


def test_one_fold_with_validation_and_training():
    rows = [CaseRow(f"{animal}_{k}", animal) for animal in "abc" for k in range(2)]
    part_of = {"a": "train", "b": "val", "c": "test"}
    assert split_by_part(rows, part_of) == [{"train": ["a_0", "a_1"], "val": ["b_0", "b_1"]}]
    assert split_by_part(rows[:2], part_of) == []
