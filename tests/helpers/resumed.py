"""A training that is interrupted and resumed, to be compared with one that is not."""

import pytest


def interrupted_and_resumed(build, *, epoch):
    """Train until Ctrl-C at the beginning of an epoch, then go on from the latest checkpoint with a new trainer.

    `build` makes a trainer; returns the one that went on, its training finished.
    """
    interrupted = build()
    go_on = interrupted.on_epoch_start

    def stop():
        if interrupted.current_epoch == epoch:
            raise KeyboardInterrupt
        go_on()

    interrupted.on_epoch_start = stop
    with pytest.raises(KeyboardInterrupt):
        interrupted.run_training()
    resumed = build()
    resumed.load_checkpoint(f"{resumed.output_folder}/checkpoint_latest.pth")
    resumed.run_training()
    return resumed
