"""How many parameters a trained model has."""

from __future__ import annotations

from pathlib import Path

# What batch normalisation keeps beside its parameters.
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def count_parameters(checkpoint: Path) -> int:
    """Return the number of trainable parameters in the network of an nnU-Net checkpoint.

    A parameter that the network holds under several names counts once; modules that only the training needs do not
    count.

    Args:
        checkpoint: Such as `fold_0/checkpoint_final.pth`.

    Raises:
        FileNotFoundError: It is not there.
    """
    import torch

    # Checkpoints hold numpy scalars and the trainer's arguments beside the weights; it is the user's own file.
    weights = torch.load(checkpoint, map_location="cpu", weights_only=False)["network_weights"]
    tensors = {
        (tensor.data_ptr(), tensor.shape): tensor.numel()
        for name, tensor in weights.items()
        if name.rpartition(".")[2] not in STATISTICS
    }
    return sum(tensors.values())
