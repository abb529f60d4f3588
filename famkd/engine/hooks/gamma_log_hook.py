"""Logging of the learned branch weights of frequency attention."""

from mmengine.hooks import Hook, LoggerHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from famkd.layers import DynamicFrequencyAttention, FrequencyAttention


@HOOKS.register_module()
class GammaLogHook(Hook):
    """Logs gamma1 and gamma2 of every stage in the same lines as the losses.

    ``gamma1_stage{i}`` weighs the frequency branch, ``gamma2_stage{i}`` the
    1x1 convolution, as in Tables A.3 and A.4 of the `FAM-KD
    <https://arxiv.org/abs/2403.05894>`_ supplement; stage 1 is the shallowest.

    Args:
        interval: Iterations between two readings. Defaults to None: that of the
            training's ``LoggerHook``, and the end of every epoch.
    """

    def __init__(self, interval: int | None = None) -> None:
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        """Finds the modules with gammas, and the interval of the log."""
        self._modules = [
            module
            for module in runner.model.modules()
            if isinstance(module, (FrequencyAttention, DynamicFrequencyAttention))
        ]
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._interval = self.interval or min((h.interval for h in loggers), default=1)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Hands the gammas to the log, where it is about to be written."""
        if not (
            self.every_n_inner_iters(batch_idx, self._interval)
            or self.every_n_train_iters(runner, self._interval)
            or self.end_of_epoch(runner.train_dataloader, batch_idx)
        ):
            return
        for stage, module in enumerate(self._modules, start=1):
            for name in ('gamma1', 'gamma2'):
                if hasattr(module, name):
                    runner.message_hub.update_scalar(
                        f'train/{name}_stage{stage}', getattr(module, name).item()
                    )
