"""Paper 002, approach 2: the classifier that tells the region of each slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from torch import distributed as dist
from torch import nn

from nnunet_cardiac_ext import region_order, region_table
from nnunet_cardiac_ext.architectures.slice_classifier import (
    SliceClassifier,
    classify_slices,
    has_batch_norm,
    load_imagenet_weights,
    smallest_edge,
)
from nnunet_cardiac_ext.data.stack_regions import each_stack, label_map_of
from nnunet_cardiac_ext.data.whole_slices import UNKNOWN, WholeSliceLoader, image_transforms, known_regions
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import write_json
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.region_table import RegionRow, write_region_table
from nnunet_cardiac_ext.regions import Region
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.settings import BLOCK, CardiacSettings, read_settings
from nnunet_cardiac_ext.trainers.region_validation import in_file, reference_regions, region_rows, summarise
from nnunet_cardiac_ext.trainers.slice_wise import SliceWiseTrainer


class RegionClassifierTrainer(SliceWiseTrainer):
    """Trains a classifier of whole slices into non-cardiac, base, middle and apex.

    Mariscal-Harana et al., Improved AI-based Segmentation of Apical and Basal Slices from Clinical Cine CMR. The plans'
    network is not used; the settings `backbone`, `pretrained` and `class_weights` are. nnU-Net's curves and its choice
    of the best checkpoint show the F1 scores of base, middle and apex in the place of pseudo Dice.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = PRESETS["region-classifier"].settings

    @classmethod
    def read_settings(cls, plans: dict, configuration: str) -> CardiacSettings:
        """Return the settings of a configuration.

        Raises:
            UsageError: The block is wrong, or it does not go with a classifier, the patch size or the batch size.
        """
        settings = super().read_settings(plans, configuration)
        content = PlansManager(plans).get_configuration(configuration)
        where = f"plans, configuration {configuration}"
        _check(settings, [int(edge) for edge in content.patch_size], int(content.batch_size), where)
        return settings

    @classmethod
    def build_network_architecture(
        cls,
        plans_manager: Any,
        configuration_manager: Any,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = False,
    ) -> nn.Module:
        """Return the network that the configuration's settings name, with random weights; nnU-Net's signature."""
        settings = read_settings(configuration_manager.configuration.get(BLOCK), defaults=cls.method_defaults)
        return SliceClassifier(num_input_channels, len(Region), backbone=settings.backbone)

    def build_segmentation_loss(self) -> nn.Module:
        """Return the cross-entropy of the regions, weighted where `class_weights` says so."""
        weights = self.settings.class_weights
        loss = nn.CrossEntropyLoss(weight=None if weights is None else torch.tensor(weights))
        return loss.to(self.device)

    def build_loader(
        self, dataset: nnUNetBaseDataset, patch_size: Any, transforms: Any, *, training: bool
    ) -> nnUNetDataLoader:
        """Return the loader of whole slices; for training the order of the regions is learned on the way.

        Raises:
            UsageError: The data set's labels are no heart's, or none of its slices is annotated.
        """
        regions = self._regions(dataset)
        loader = WholeSliceLoader(
            dataset, self.batch_size, self._size, self.label_manager,
            regions=regions, transforms=image_transforms(transforms),
        )  # fmt: skip
        if training and self.local_rank == 0:
            self._learned_order(dataset, regions)
        return loader

    def load_start_weights(self) -> Path | None:
        """Load ImageNet weights where the setting `pretrained` names them; otherwise as in any other training."""
        if self.settings.pretrained is None:
            return super().load_start_weights()
        file = Path(self.settings.pretrained).expanduser()
        load_imagenet_weights(self.bare_network, file)
        return file

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        """Do nothing: a classifier has one output."""

    def validation_step(self, batch: dict) -> dict:
        """Return the loss of one validation batch and how often base, middle and apex were found, missed, made up."""
        image, regions = self._to_device(batch["data"]), self._to_device(batch["target"])
        with self._precision():
            logits = self.network(image)
            loss = self.loss(logits, regions)
        cardiac = torch.arange(Region.BASE, len(Region), device=logits.device)[:, None]
        here, said = regions == cardiac, logits.argmax(dim=1) == cardiac
        counts = {"tp_hard": here & said, "fp_hard": ~here & said, "fn_hard": here & ~said}
        sums = {name: count.sum(dim=1, dtype=torch.float32).cpu().numpy() for name, count in counts.items()}
        return {"loss": loss.detach().cpu().numpy(), **sums}

    def validate_cases(self, save_probabilities: bool) -> None:
        """Classify every slice of the fold's validation cases, compare with the labels, write table and scores.

        The probabilities are means over the mirrored copies. In distributed training the processes share the cases.

        Args:
            save_probabilities: As in nnU-Net; the table holds the probabilities in any case.
        """
        training, validation = self.do_split()
        order = self._known_order(training)
        shares = [validation[rank :: self._processes] for rank in range(self._processes)]
        rows = [row for case in shares[self.local_rank] for row in self._classified(case, order)]
        if self.is_ddp:
            gathered: list[Any] = [None] * self._processes
            dist.all_gather_object(gathered, rows)
            rows = [row for part in gathered for row in part]
        if self.local_rank == 0:
            self._write_validation(sorted(rows, key=lambda row: (row.case, row.slice)))

    @property
    def _size(self) -> tuple[int, int]:
        rows, columns = self.configuration_manager.patch_size
        return int(rows), int(columns)

    @property
    def _processes(self) -> int:
        return dist.get_world_size() if self.is_ddp else 1

    @property
    def _order_file(self) -> Path:
        return Path(self.output_folder) / region_order.FILE_NAME

    def _regions(self, dataset: nnUNetBaseDataset) -> dict[str, np.ndarray]:
        find = partial(
            known_regions, label_map=label_map_of(self.dataset_json), ignore_label=self.label_manager.ignore_label
        )
        return each_stack(dataset, find, quiet=self.local_rank != 0)

    def _learned_order(self, dataset: nnUNetBaseDataset, regions: Mapping[str, np.ndarray]) -> RegionOrder:
        """Estimate the order of the regions from the training stacks, those with unknown regions left out."""
        stacks = [
            in_file(of_case, dataset.load_case(case)[3], Region.NON_CARDIAC)
            for case, of_case in regions.items()
            if UNKNOWN not in of_case
        ]
        weights = self.settings.class_weights or (1.0,) * len(Region)
        order = RegionOrder.estimate(stacks, class_weights=weights)
        if self.local_rank == 0:
            order.write(self._order_file)
        return order

    def _known_order(self, training: Sequence[str]) -> RegionOrder:
        if self._order_file.is_file():
            return RegionOrder.read(self._order_file)
        dataset = self.dataset_class(self.preprocessed_dataset_folder, list(training))
        return self._learned_order(dataset, self._regions(dataset))

    def _classified(self, case: str, order: RegionOrder) -> list[RegionRow]:
        image, _, _, properties = self.dataset_class(self.preprocessed_dataset_folder, [case]).load_case(case)
        self.print_to_log_file(f"classifying {case}, shape {image.shape}, rank {self.local_rank}")
        probabilities = classify_slices(
            self.bare_network.eval(), torch.from_numpy(image[:]), self._size,
            mirror_axes=self.inference_allowed_mirroring_axes or (),
        ).numpy()  # fmt: skip
        file = Path(self.preprocessed_dataset_folder_base, "gt_segmentations", case + self.dataset_json["file_ending"])
        reference = reference_regions(
            file, self.plans_manager, label_map_of(self.dataset_json), ignore_label=self.label_manager.ignore_label
        )
        return region_rows(case, in_file(probabilities, properties, np.eye(len(Region))[0]), order, reference)

    def _write_validation(self, rows: list[RegionRow]) -> None:
        folder = Path(self.output_folder) / "validation"
        write_region_table(folder / region_table.FILE_NAME, rows)
        scores = summarise(rows)
        write_json(folder / "summary.json", scores)
        for name in ("argmax", "ordered", "extent"):
            self.logger.log_summary(f"final_val/accuracy_{name}", scores[name]["accuracy"])
            self.print_to_log_file(f"Validation accuracy, {name}: {scores[name]['accuracy']:.4f}")
        self.print_to_log_file("Validation complete")


def _check(settings: CardiacSettings, patch_size: Sequence[int], batch_size: int, where: str) -> None:
    """Refuse what a classifier cannot be trained with."""
    backbone, needed = settings.backbone, smallest_edge(settings.backbone)
    if settings.deep_supervision:
        raise UsageError(f"{where}, {BLOCK}.deep_supervision: expected false, a classifier has one output; got true")
    if min(patch_size) < needed:
        raise UsageError(f"{where}, patch_size: expected at least {needed} for backbone {backbone}, got {patch_size}")
    if batch_size < 2 and has_batch_norm(backbone):
        raise UsageError(
            f"{where}, batch_size: expected at least 2 for backbone {backbone}, whose batch normalisation needs more "
            f"than one slice, got {batch_size}"
        )
    if settings.pretrained is not None and settings.initial_weights is not None:
        raise UsageError(f"{where}, {BLOCK}: expected pretrained or initial_weights, got both")
