"""What `nnunet-cardiac convert mnms` says to each kind of broken input, as a markdown table.

Each kind spoils a small fake OpenDataset of six subjects or its csv; the command runs as a user types it. The table
stands in docs/datasets/mnms.md.

    python benchmarks/broken_mnms.py
"""

from __future__ import annotations

from broken_inputs import Bench, print_table  # first: it makes the helpers of the tests importable
from helpers.broken_mnms import BROKEN_SUBJECTS, BROKEN_UNLABELLED, NO_VENDOR, NOTHING_TO_LEAVE_OUT, REPAIRED
from helpers.mnms_files import write_dataset


def other_source(bench, root, dataset):
    bench.run(root, dataset / "Testing")
    return bench.run(root, dataset / "Training")


def hidden_files(bench, root, dataset):
    (dataset / "Testing" / "F0B1C2" / "._F0B1C2_sa.nii.gz").write_bytes(b"\0\5\26\7")
    (dataset / "__MACOSX" / "Testing" / "F0B1C2").mkdir(parents=True)
    return bench.run(root, dataset)


def folder_above(bench, root, dataset):
    (root / "download").mkdir()
    dataset.rename(root / "download" / "OpenDataset")
    return bench.run(root, root / "download")


MNMS = Bench(
    name="mnms",
    write=write_dataset,
    dataset_id=114,
    broken=(*BROKEN_SUBJECTS, *BROKEN_UNLABELLED, NO_VENDOR, NOTHING_TO_LEAVE_OUT, *REPAIRED),
    scenarios={
        "other subjects under the same id": other_source,
        "hidden macOS files": hidden_files,
        "one folder level too high": folder_above,
    },
)

if __name__ == "__main__":
    print_table(MNMS)
