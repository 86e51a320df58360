"""What `nnunet-cardiac convert mouse` says to each kind of broken input, as markdown tables, one per source.

Each kind spoils one of a few tiny scans; the command runs as a user types it. The tables stand in
docs/datasets/mouse.md.

    python benchmarks/broken_mouse.py
"""

from __future__ import annotations

import shutil

from broken_inputs import Bench, print_table  # first: it makes the helpers of the tests importable
from helpers.broken_mouse import BROKEN_HDF5, BROKEN_LISTING, BROKEN_SEGMENT, write_scans
from helpers.mouse_files import write_listing, write_mice, write_v5

DATASET_ID = 30


def two_kinds(bench, root, source):
    write_v5(source / "m9_pre.mat")
    return bench.run(root, source)


def hidden_files(bench, root, source):
    (source / "Data" / "._Mouse2.h5").write_bytes(b"\0\5\26\7")
    shutil.copytree(source / "Data", source / "__MACOSX" / "Data")
    return bench.run(root, source)


def too_few_animals(bench, root, source):
    table = source / "scans.csv"
    rows = table.read_text().splitlines(keepends=True)
    table.write_text("".join(row for row in rows if not row.startswith("m3")))
    return bench.run(root, source, "--partition", "1:1:1")


def unknown_file(bench, root, source):
    (source / "animals.csv").write_text("file,animal,group\nm9_pre.mat,m9,WT\n")
    return bench.run(root, source)


BENCHES = {
    "HDF5 files": Bench(
        name="mouse", write=write_mice, dataset_id=DATASET_ID, broken=BROKEN_HDF5,
        scenarios={"two kinds of files": two_kinds, "hidden macOS files": hidden_files},
    ),
    "Segment's MATLAB files": Bench(
        name="mouse", write=write_scans, dataset_id=DATASET_ID, broken=BROKEN_SEGMENT,
        scenarios={"a table with a file that is not there": unknown_file},
    ),
    "NIfTI files in a csv": Bench(
        name="mouse", write=lambda root: write_listing(root, time_points=("pre",)),
        dataset_id=DATASET_ID, broken=BROKEN_LISTING,
        scenarios={"fewer animals than parts": too_few_animals},
    ),
}  # fmt: skip

if __name__ == "__main__":
    for title, bench in BENCHES.items():
        print(f"\n### {title}\n")
        print_table(bench, subjects="animals")
