"""A hook with which a training is cut off from outside, once."""

import os
import signal
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class FailOnce(Hook):
    """Kills the last process before its third epoch, the first time that it gets there.

    Args:
        with_agent (bool): Whether torchrun on its machine is killed with it, as by a
            loss of power.
    """

    def __init__(self, with_agent=False):
        self.with_agent = with_agent

    def before_train_epoch(self, runner):
        marker = Path(runner.work_dir) / 'failed'
        is_last = runner.rank == runner.world_size - 1
        if runner.epoch == 2 and is_last and not marker.exists():
            marker.touch()
            if self.with_agent:
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
