"""Linear warm-up of the distillation weight."""

import math

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import IterBasedTrainLoop, Runner

from famkd.runtime.unwrapped import unwrapped_model


@HOOKS.register_module()
class DistillWarmupHook(Hook):
    r"""Sets ``distill_weight`` to :math:`\min(t / \text{length}, 1)`.

    :math:`t` is the current epoch or iteration, counted from 1. It is read from
    the runner at every step, so a resumed training goes on where it stopped.

    Args:
        length: Epochs or iterations until the full weight. Defaults to 20.
        by_epoch: Whether :math:`t` counts epochs. Defaults to True.

    Raises:
        ValueError: If ``length`` is no positive number, or epochs are to be counted in
            a training that counts iterations only.

    Source: released training code of `FAM-KD <https://arxiv.org/abs/2403.05894>`_ and
    `ReviewKD <https://arxiv.org/abs/2104.09044>`_ (20 epochs on CIFAR-100, 1 on
    ImageNet).
    """

    def __init__(self, length: int = 20, by_epoch: bool = True) -> None:
        if not isinstance(length, (int, float)) or not 0 < length < math.inf:
            raise ValueError(
                f'length={length!r} of DistillWarmupHook must be a positive number; '
                'leave the hook out for no warm-up'
            )
        self.length = length
        self.by_epoch = by_epoch

    def before_train(self, runner: Runner) -> None:
        """Checks that the warm-up fits the training."""
        if self.by_epoch and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError(
                'by_epoch=True of DistillWarmupHook needs epochs, but train_cfg has '
                f'by_epoch=False; set by_epoch=False and length={self.length} in '
                'iterations'
            )
        steps = runner.max_epochs if self.by_epoch else runner.max_iters
        if steps < self.length:
            unit = 'epochs' if self.by_epoch else 'iterations'
            runner.logger.warning(
                f'DistillWarmupHook: length={self.length} {unit}, but the training has '
                f'{steps}: the distillation only reaches {steps / self.length:.3g} of '
                'its weight; set a shorter length (a twelfth of the training in the '
                'papers)'
            )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Sets the weight for this iteration."""
        model = unwrapped_model(runner)
        step = runner.epoch if self.by_epoch else runner.iter
        model.distill_weight = min((step + 1) / self.length, 1.0)
