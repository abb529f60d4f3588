"""Mixed precision without a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Mixed precision training on the CPU, in bfloat16.

    What :class:`mmengine.optim.AmpOptimWrapper`, which refuses to work without a
    GPU, does there. bfloat16 has the range of float32, so that gradients do not
    vanish and the loss is not scaled.

    Args:
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        """Context in which the forward pass of a model runs under autocast."""
        with super().optim_context(model), torch.autocast('cpu', torch.bfloat16):
            yield
