"""What `nnunet-cardiac convert acdc` says to each kind of broken input, as a markdown table.

Each kind spoils a small fake database of three training patients and a test patient; the command runs as a user types
it. The table stands in docs/datasets/acdc.md.

    python benchmarks/broken_acdc.py
"""

from __future__ import annotations

from broken_inputs import Bench, print_table  # first: it makes the helpers of the tests importable
from helpers.acdc_files import write_database
from helpers.broken_acdc import BROKEN_PATIENTS, BROKEN_TEST_PATIENT, SHEARED_AFFINE


def other_source(bench, root, database):
    bench.run(root, database / "testing")
    return bench.run(root, database / "training")


def hidden_files(bench, root, database):
    (database / "training" / "patient002" / "._patient002_frame01.nii.gz").write_bytes(b"\0\5\26\7")
    (database / "__MACOSX" / "training" / "patient002").mkdir(parents=True)
    return bench.run(root, database)


ACDC = Bench(
    name="acdc",
    write=write_database,
    dataset_id=27,
    broken=(*BROKEN_PATIENTS, BROKEN_TEST_PATIENT, SHEARED_AFFINE),
    scenarios={"other subjects under the same id": other_source, "hidden macOS files": hidden_files},
)

if __name__ == "__main__":
    print_table(ACDC, subjects="patients")
