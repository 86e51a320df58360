"""What `nnunet-cardiac convert emidec` says to each kind of broken input, as a markdown table.

Each kind spoils a small fake data set of three training cases and a test case; the command runs as a user types it.
The table stands in docs/datasets/emidec.md.

    python benchmarks/broken_emidec.py
"""

from __future__ import annotations

from broken_inputs import Bench, print_table  # first: it makes the helpers of the tests importable
from helpers.broken_emidec import BROKEN_CASES, ODD_BUT_GOOD
from helpers.emidec_files import TESTING, TRAINING, write_database


def other_source(bench, root, database):
    bench.run(root, database / TESTING)
    return bench.run(root, database / TRAINING)


def slices_after_patients(bench, root, database):
    bench.run(root, database)
    return bench.run(root, database, "--split", "slices")


def slices_of_a_broken_case(bench, root, database):
    (database / TRAINING / "Case_P002" / "Images" / "Case_P002.nii.gz").write_bytes(b"")
    return bench.run(root, database, "--split", "slices")


def hidden_files(bench, root, database):
    (database / TRAINING / "Case_P002" / "Images" / "._Case_P002.nii.gz").write_bytes(b"\0\5\26\7")
    (database / "__MACOSX" / TRAINING / "Case_P002").mkdir(parents=True)
    return bench.run(root, database)


EMIDEC = Bench(
    name="emidec",
    write=write_database,
    dataset_id=115,
    broken=(*BROKEN_CASES, *ODD_BUT_GOOD),
    scenarios={
        "other subjects under the same id": other_source,
        "slices under the id of patients": slices_after_patients,
        "a broken case with --split slices": slices_of_a_broken_case,
        "hidden macOS files": hidden_files,
    },
    subject_of=lambda name: name[: len("Case_P002")].removesuffix("_"),
)

if __name__ == "__main__":
    print_table(EMIDEC, subjects="cases")
