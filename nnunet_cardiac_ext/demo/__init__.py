"""The main job as one line: data, convert, plan, preprocess, train, predict on unseen subjects, evaluate, report."""

from nnunet_cardiac_ext.demo.demo import DemoOptions, demo

__all__ = ["DemoOptions", "demo"]
