"""Logging of what all processes lose, not of what the first one does."""

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class AverageLossesHook(Hook):
    """Averages the outputs of a training step, the losses, over the processes.

    MMEngine logs those of the first process, which has seen a part of the batch
    only. It costs one all-reduce of a vector of as many numbers as there are losses.
    It comes before every other hook: all see the same numbers in all processes.
    """

    priority = 'HIGHEST'

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        if runner.world_size == 1 or not outputs:
            return
        values = torch.stack([value.detach().float() for value in outputs.values()])
        all_reduce(values, op='mean')
        outputs.update(zip(outputs, values.unbind(), strict=True))
