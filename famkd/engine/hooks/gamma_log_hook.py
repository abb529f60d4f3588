"""Logging of the learned branch weights of frequency attention."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from famkd.layers import DynamicFrequencyAttention, FrequencyAttention


@HOOKS.register_module()
class GammaLogHook(Hook):
    """Logs gamma1 and gamma2 of every stage next to the losses.

    ``gamma1_stage{i}`` weighs the frequency branch, ``gamma2_stage{i}`` the
    1x1 convolution, as in Tables A.3 and A.4 of the FAM-KD supplement; stage 1
    is the shallowest.

    Args:
        interval: Iterations between two readings (each waits for the device).
            Defaults to 50.
    """

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        self._modules = [
            module
            for module in runner.model.modules()
            if isinstance(module, (FrequencyAttention, DynamicFrequencyAttention))
        ]

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        if not self.every_n_train_iters(runner, self.interval):
            return
        for stage, module in enumerate(self._modules, start=1):
            for name in ('gamma1', 'gamma2'):
                if hasattr(module, name):
                    runner.message_hub.update_scalar(
                        f'train/{name}_stage{stage}', getattr(module, name).item()
                    )
