"""What the demo trains: small enough for two cores, the same on every machine."""

from __future__ import annotations

DATASET_ID = 27
CONFIGURATION = "2d_demo"
FOLD = 0  # of data without a labelled test part; with one, training sees all other patients
PRESET = "region-sampling"
PHANTOM_SUBJECTS = 50
PHANTOM_TESTING = 10
# Keys of `nnunet-cardiac plan --set`; docs/benchmarks.md has the measurements that they were chosen by.
SETTINGS: dict[str, str] = {
    "features": "16,32,64,128,128",
    "patch_size": "128,128",
    "batch_size": "8",
    "norm": "batch",
    "channels_last": "true",
    "autocast": "bf16",
    "optimizer": "adamw",
    "initial_lr": "0.002",
    "weight_decay": "0.01",
    "augmentation": "light",
    "mirroring": "false",
    "iterations_per_epoch": "150",
    "val_iterations_per_epoch": "2",
    # The demo predicts the unseen subjects itself.
    "final_validation": "false",
}
PHANTOM_EPOCHS = 13
ACDC_EPOCHS = 16
