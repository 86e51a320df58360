"""nnU-Net's trainer with the settings of the plans' `"cardiac"` block: what all our trainers stand on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

import torch
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class, nnUNetBaseDataset
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.default_n_proc_DA import get_allowed_n_proc_DA
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from nnunet_cardiac_ext.data.augmentation import make_repeatable, reduce_augmentation
from nnunet_cardiac_ext.data.one_of_augmentation import one_of_augmentation, room_for_change
from nnunet_cardiac_ext.data.rigid_augmentation import rigid_augmentation, room_for_motion
from nnunet_cardiac_ext.data.workers import start_workers
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import written_whole
from nnunet_cardiac_ext.settings import BLOCK, CardiacSettings, read_settings
from nnunet_cardiac_ext.trainers import seeding
from nnunet_cardiac_ext.trainers.deep_supervision import deep_supervision_weights
from nnunet_cardiac_ext.trainers.initial_weights import checkpoint_path, load_initial_weights
from nnunet_cardiac_ext.trainers.optimizers import build_optimizer
from nnunet_cardiac_ext.trainers.precision import InFullPrecision, computes_bfloat16
from nnunet_cardiac_ext.trainers.schedules import Schedule, build_schedule

# Largest norm of the gradient; nnU-Net's value.
GRADIENT_NORM = 12
# Augmentations of papers, within the slice plane: the room that patches need, and the change of nnU-Net's transforms.
IN_PLANE = MappingProxyType(
    {"rigid": (room_for_motion, rigid_augmentation), "one-of": (room_for_change, one_of_augmentation)}
)

Target: TypeAlias = torch.Tensor | list[torch.Tensor]


class CardiacTrainer(nnUNetTrainer):
    """nnU-Net's own training, as the settings change it; with stock settings its results are nnU-Net's.

    A method is a subclass that overrides one or more of `method_defaults`, `build_network_architecture`,
    `build_segmentation_loss`, `output_weights`, `compute_loss`, `training_only_modules`, `parameter_groups`,
    `build_loader`, `load_start_weights`, `validate_cases` and `plateau_quantity`.

    Attributes:
        method_defaults: Settings of the method where they differ from nnU-Net's; the plans' block overrides them.
        no_regions: What is said to a data set of regions that the method cannot learn; "" where it can.
        settings: The settings of this training.
        training_modules: The modules of `training_only_modules`, on the device, by name.
    """

    method_defaults: ClassVar[Mapping[str, Any]] = {}
    no_regions: ClassVar[str] = ""
    dataset_class: Any

    # nnU-Net reads the parameters' names from the subclass, so they have to be its own.
    def __init__(
        self,
        plans: dict,
        configuration: str,
        fold: int,
        dataset_json: dict,
        device: torch.device = torch.device("cuda"),  # noqa: B008
    ) -> None:
        self.settings = self.read_settings(plans, configuration)
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.training_modules: dict[str, nn.Module] = {}
        self.lr_scheduler: Schedule
        self._has_trained = False
        if self.no_regions and self.label_manager.has_regions:
            raise UsageError(f"{type(self).__name__}: {self.no_regions}")
        _keep_to_threads(device)
        self._apply_settings()
        if self.settings.seed is not None:
            # Of no rank: all processes have to start from the same weights.
            seeding.seed_process(self.settings.seed, 0, seeding.START)

    @classmethod
    def read_settings(cls, plans: dict, configuration: str) -> CardiacSettings:
        """Return the settings of a configuration, the method's defaults under them.

        Raises:
            UsageError: The block is wrong.
        """
        block = PlansManager(plans).get_configuration(configuration).configuration.get(BLOCK)
        return read_settings(
            block, defaults=cls.method_defaults, where=f"plans, configuration {configuration}, {BLOCK}"
        )

    def build_segmentation_loss(self) -> nn.Module:
        """Return the loss of one output against its target; by default nnU-Net's Dice and cross-entropy."""
        loss = super()._build_loss()
        return loss.loss if isinstance(loss, DeepSupervisionWrapper) else loss

    def output_weights(self, n_outputs: int) -> Sequence[float] | None:
        """Return the weight of the loss at each output, finest first, taken as given; None stands for nnU-Net's.

        Args:
            n_outputs: Number of outputs of the network under deep supervision.
        """
        return self.settings.deep_supervision_weights

    def compute_loss(self, image: torch.Tensor, target: Target) -> torch.Tensor:
        """Return the loss of a training batch.

        Args:
            image: Shape (batch, channel, [slice,] row, column), on the device.
            target: Labels, or one tensor of labels per output with deep supervision.
        """
        return self.loss(self.network(image), target)

    def training_only_modules(self) -> dict[str, nn.Module]:
        """Return modules that are trained with the network and not needed to predict; by default none.

        They are optimised together with the network, saved in the checkpoint beside its weights and restored from it.
        """
        return {}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return what is optimised as torch's optimisers take it; by default one group of everything that is trained.

        A group may have a learning rate of its own (`lr`); schedules multiply it as they do that of the others. The
        log shows the rate of the first group.
        """
        modules = (self.network, *self.training_modules.values())
        return [{"params": [parameter for module in modules for parameter in module.parameters()]}]

    def build_loader(
        self, dataset: nnUNetBaseDataset, patch_size: Any, transforms: Any, *, training: bool
    ) -> nnUNetDataLoader:
        """Return the loader of training or validation batches.

        Args:
            dataset: The cases of this fold's part.
            patch_size: Size of the patches before the transforms; larger than the network's where they are turned.
            transforms: Applied to each patch.
            training: Whether the batches are for training.
        """
        return nnUNetDataLoader(*self._loader_arguments(dataset, patch_size), **self._loader_options(transforms))

    def validate_cases(self, save_probabilities: bool) -> None:
        """Predict and score the fold's validation cases; by default nnU-Net's way.

        Args:
            save_probabilities: Keep the probabilities beside the labels.
        """
        super().perform_actual_validation(save_probabilities)

    def load_start_weights(self) -> Path | None:
        """Give the network the weights that the settings name and return their file; None where it starts at random."""
        if self.settings.initial_weights is None:
            return None
        results = Path(self.output_folder_base).parent
        file = checkpoint_path(self.settings.initial_weights, results=results, fold=self.fold)
        load_initial_weights(self.bare_network, file)
        return file

    @property
    def bare_network(self) -> nn.Module:
        """The network without what distributed training and torch.compile put around it."""
        network = _unwrapped(self.network)
        return getattr(network, "_orig_mod", network)

    def plateau_quantity(self) -> float:
        """Return what the plateau schedule watches, smaller is better; by default the validation loss."""
        return float(self.logger.get_value("val_losses", step=-1))

    # From here on nnU-Net's own methods, in the order in which it calls them.

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, Schedule]:
        """Return optimiser and schedule. nnU-Net calls this once the network stands and before DDP wraps it."""
        self._prepare_modules()
        optimizer = build_optimizer(self.parameter_groups(), self.settings)
        return optimizer, build_schedule(optimizer, self.settings)

    def _build_loss(self) -> nn.Module:
        loss = self.build_segmentation_loss()
        if self.enable_deep_supervision:
            n_outputs = len(self._get_deep_supervision_scales())
            weights = deep_supervision_weights(
                n_outputs,
                self.output_weights(n_outputs),
                # A compiled network does not count an output without gradient as unused.
                every_output=self.is_ddp and not self._do_i_compile(),
            )
            loss = DeepSupervisionWrapper(loss, weights)
        return InFullPrecision(loss, self.device.type) if self._bfloat16 else loss

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, bool, Any, Any]:  # noqa: N802
        """Return nnU-Net's augmentation parameters, as the settings change mirroring and the room for motion."""
        rotation, dummy_2d, patch_size, mirror_axes = (
            super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        )
        final_patch_size = self.configuration_manager.patch_size
        if self.settings.augmentation == "none":
            patch_size = final_patch_size
        if self.settings.augmentation in IN_PLANE:
            room, _ = IN_PLANE[self.settings.augmentation]
            patch_size = room(final_patch_size)
            mirror_axes = tuple(range(len(final_patch_size)))[-2:]
        if not self.settings.mirroring:
            mirror_axes = None
        self.inference_allowed_mirroring_axes = mirror_axes
        return rotation, dummy_2d, patch_size, mirror_axes

    def get_dataloaders(self) -> tuple[Iterator[dict[str, Any]], Iterator[dict[str, Any]]]:
        """Return the running iterators over training and validation batches."""
        if self.dataset_class is None:
            self.dataset_class = infer_dataset_class(self.preprocessed_dataset_folder)
        patch_size, training, validation = self._build_transforms()
        datasets = self.get_tr_and_val_datasets()
        workers = get_allowed_n_proc_DA()
        # Workers, queue lengths and their shares for validation are nnU-Net's.
        return (
            self._start(
                self.build_loader(datasets[0], patch_size, training, training=True),
                workers, max(6, workers // 2), seeding.TRAINING_WORKERS,
            ),
            self._start(
                self.build_loader(datasets[1], self.configuration_manager.patch_size, validation, training=False),
                workers and max(1, workers // 2), max(3, workers // 4), seeding.VALIDATION_WORKERS,
            ),
        )  # fmt: skip

    def on_train_start(self) -> None:
        """Begin a training, or go on with one; only the first starts from given weights."""
        super().on_train_start()
        file = self.load_start_weights() if self.current_epoch == 0 else None
        if file is not None:
            self.print_to_log_file(f"Started from the weights of {file}")

    def on_train_epoch_start(self) -> None:
        """Begin an epoch; with a seed, from random numbers that depend on the epoch only."""
        super().on_train_epoch_start()
        for module in self.training_modules.values():
            module.train()
        self._seed(seeding.TRAINING)

    def train_step(self, batch: dict) -> dict:
        """Update the weights by one batch and return its loss."""
        image, target = self._to_device(batch["data"]), self._to_device(batch["target"])
        self.optimizer.zero_grad(set_to_none=True)
        with self._precision():
            loss = self.compute_loss(image, target)
        self._update(loss)
        return {"loss": loss.detach().cpu().numpy()}

    def on_validation_epoch_start(self) -> None:
        """Begin the validation of an epoch."""
        super().on_validation_epoch_start()
        for module in self.training_modules.values():
            module.eval()
        self._seed(seeding.VALIDATION)

    def validation_step(self, batch: dict) -> dict:
        """Return loss and overlap of one validation batch."""
        with self._precision():
            return super().validation_step(batch)

    def on_validation_epoch_end(self, val_outputs: list[dict]) -> None:
        """Log the validation and show it to the schedule."""
        super().on_validation_epoch_end(val_outputs)
        self.lr_scheduler.observe(self.plateau_quantity())

    def on_train_end(self) -> None:
        """End the training."""
        super().on_train_end()
        self._has_trained = True

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Predict and score the validation cases, unless the settings spare it a training that has just ended."""
        if self._has_trained and not self.settings.final_validation:
            self.print_to_log_file("The validation cases are not predicted (final_validation is off); --val does it")
            return
        self.validate_cases(save_probabilities)

    def save_checkpoint(self, filename: str) -> None:
        """Write nnU-Net's checkpoint, whole or not at all, with the state of what only our trainers have."""
        if self.local_rank != 0 or self.disable_checkpointing:
            super().save_checkpoint(filename)
            return
        with written_whole(Path(filename)) as partial:
            super().save_checkpoint(str(partial))
            if own := self._own_state():
                checkpoint = torch.load(partial, map_location="cpu", weights_only=False)
                torch.save({**checkpoint, BLOCK: own}, partial)

    def load_checkpoint(self, filename_or_checkpoint: str) -> None:
        """Go on from a checkpoint of ours or of nnU-Net."""
        super().load_checkpoint(filename_or_checkpoint)
        checkpoint = torch.load(filename_or_checkpoint, map_location="cpu", weights_only=False, mmap=True)
        own = checkpoint.get(BLOCK, {})
        self.lr_scheduler.load_state_dict(own.get("schedule", {}))
        for name, module in self.training_modules.items():
            state = own.get("training_modules", {}).get(name)
            if state is None:
                raise UsageError(f"{filename_or_checkpoint}: expected the state of {name}, which is trained too")
            _unwrapped(module).load_state_dict(state)

    def _apply_settings(self) -> None:
        """Put the settings where nnU-Net keeps its own."""
        settings = self.settings
        self.num_epochs = settings.num_epochs
        self.num_iterations_per_epoch = settings.iterations_per_epoch
        self.num_val_iterations_per_epoch = settings.val_iterations_per_epoch
        self.save_every = settings.save_every
        self.initial_lr = settings.initial_lr
        self.weight_decay = settings.weight_decay
        self.enable_deep_supervision = settings.deep_supervision
        self.oversample_foreground_percent = settings.oversample_foreground
        if settings.autocast != "auto":
            self.grad_scaler = None
        self._bfloat16 = settings.autocast == "bf16" and computes_bfloat16(self.device.type)
        changed = {key: value for key, value in asdict(settings).items() if value != getattr(CardiacSettings, key)}
        self.logger.update_config({BLOCK: asdict(settings)})
        self.print_to_log_file(f"Settings that differ from nnU-Net's: {changed or 'none'}")
        if settings.autocast == "bf16" and not self._bfloat16:
            self.print_to_log_file("autocast: float32 instead of bf16, for which this processor has no arithmetic")

    def _seed(self, part: int) -> None:
        if self.settings.seed is not None:
            seeding.seed_process(self.settings.seed, self.current_epoch, part, self.local_rank)

    def _prepare_modules(self) -> None:
        """Bring the modules of the training onto the device, into the wanted memory layout and under DDP."""
        if self.settings.channels_last:
            three_d = any(parameter.ndim == 5 for parameter in self.network.parameters())
            self.network.to(memory_format=torch.channels_last_3d if three_d else torch.channels_last)
        modules = {name: module.to(self.device) for name, module in self.training_only_modules().items()}
        self.training_modules = {name: self._under_ddp(module) for name, module in modules.items()}

    def _under_ddp(self, module: nn.Module) -> nn.Module:
        if not (self.is_ddp and any(p.requires_grad for p in module.parameters())):
            return module
        module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        return DistributedDataParallel(module, device_ids=[self.local_rank])

    def _build_transforms(self) -> tuple[Any, Any, Any]:
        """Return the patch size before augmentation, the training and the validation transforms."""
        rotation, dummy_2d, patch_size, mirror_axes = self.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        labels = self.label_manager
        common = {
            "is_cascaded": self.is_cascaded,
            "foreground_labels": labels.foreground_labels,
            "regions": labels.foreground_regions if labels.has_regions else None,
            "ignore_label": labels.ignore_label,
        }
        scales = self._get_deep_supervision_scales()
        training = self.get_training_transforms(
            self.configuration_manager.patch_size, rotation, scales, mirror_axes, dummy_2d,
            use_mask_for_norm=self.configuration_manager.use_mask_for_norm, **common,
        )  # fmt: skip
        if self.settings.augmentation in IN_PLANE:
            _, in_plane = IN_PLANE[self.settings.augmentation]
            training = in_plane(training, self.configuration_manager.patch_size)
        else:
            training = reduce_augmentation(training, self.settings.augmentation)
        if self.settings.seed is not None:
            make_repeatable(training)
        return patch_size, training, self.get_validation_transforms(scales, **common)

    def _loader_arguments(self, dataset: nnUNetBaseDataset, patch_size: Any) -> tuple[Any, ...]:
        return dataset, self.batch_size, patch_size, self.configuration_manager.patch_size, self.label_manager

    def _loader_options(self, transforms: Any) -> dict[str, Any]:
        return {
            "oversample_foreground_percent": self.oversample_foreground_percent,
            "probabilistic_oversampling": self.probabilistic_oversampling,
            "transforms": transforms,
        }

    def _start(self, loader: nnUNetDataLoader, workers: int, queued: int, part: int) -> Iterator[dict[str, Any]]:
        seeds = seeding.worker_seeds(workers, self.settings.seed, self.current_epoch, part, self.local_rank)
        return start_workers(loader, seeds=seeds, queued=queued, pin_memory=self.device.type == "cuda")

    def _to_device(self, batch: Target) -> Target:
        if isinstance(batch, list):
            return [part.to(self.device, non_blocking=True) for part in batch]
        return batch.to(self.device, non_blocking=True)

    def _precision(self) -> AbstractContextManager:
        if self._bfloat16:
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        if self.settings.autocast == "auto" and self.device.type == "cuda":
            return torch.autocast("cuda")
        return nullcontext()

    def _update(self, loss: torch.Tensor) -> None:
        """Take one step of the optimiser along the clipped gradient."""
        scaler = self.grad_scaler or torch.amp.GradScaler(enabled=False)
        scaler.scale(loss).backward()
        scaler.unscale_(self.optimizer)
        for module in (self.network, *self.training_modules.values()):
            nn.utils.clip_grad_norm_(module.parameters(), GRADIENT_NORM)
        scaler.step(self.optimizer)
        scaler.update()

    def _own_state(self) -> dict[str, Any]:
        """Return what nnU-Net's checkpoint has no place for; empty where there is nothing of that kind."""
        modules = {name: _unwrapped(module).state_dict() for name, module in self.training_modules.items()}
        state = {"schedule": self.lr_scheduler.state_dict(), "training_modules": modules}
        return {key: value for key, value in state.items() if value}


def _keep_to_threads(device: torch.device) -> None:
    """On a CPU use as many threads as OMP_NUM_THREADS says; nnU-Net's command takes one per core of the machine."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if device.type == "cpu" and wanted.isdecimal() and int(wanted):
        torch.set_num_threads(int(wanted))


def _unwrapped(module: nn.Module) -> nn.Module:
    return module.module if isinstance(module, DistributedDataParallel) else module
