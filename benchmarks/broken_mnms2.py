"""What `nnunet-cardiac convert mnms2` says to each kind of broken input, as a markdown table.

Each kind spoils a small fake data set of three training subjects, a validation and a testing one; the command runs as a
user types it. The table stands in docs/datasets/mnms2.md.

    python benchmarks/broken_mnms2.py
"""

from __future__ import annotations

from broken_inputs import Bench, print_table  # first: it makes the helpers of the tests importable
from helpers.broken_mnms2 import BROKEN_SUBJECTS, BROKEN_TEST_SUBJECT, REPAIRED
from helpers.mnms2_files import write_dataset

DATASET_ID = 45


def second_id_taken(bench, root, dataset):
    (root / "raw" / f"Dataset{bench.dataset_id + 1:03d}_Other").mkdir(parents=True)
    return bench.run(root, dataset, "--view", "both")


def other_view(bench, root, dataset):
    bench.run(root, dataset)
    return bench.run(root, dataset, "--view", "la")


def hidden_files(bench, root, dataset):
    (dataset / "dataset" / "002" / "._002_SA_ED.nii.gz").write_bytes(b"\0\5\26\7")
    (dataset / "__MACOSX" / "dataset" / "002").mkdir(parents=True)
    return bench.run(root, dataset)


MNMS2 = Bench(
    name="mnms2",
    write=write_dataset,
    dataset_id=DATASET_ID,
    broken=(*BROKEN_SUBJECTS, BROKEN_TEST_SUBJECT, *REPAIRED),
    scenarios={
        "next id taken, both views": second_id_taken,
        "other view under the same id": other_view,
        "hidden macOS files": hidden_files,
    },
)

if __name__ == "__main__":
    print_table(MNMS2)
