"""Mixed precision without a GPU."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.utils import apply_to
from torch import Tensor, nn
from torch.autograd import Function


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Mixed precision training on the CPU, in bfloat16.

    What :class:`mmengine.optim.AmpOptimWrapper`, which refuses to work without a
    GPU, does there. bfloat16 has the range of float32, so that gradients do not
    vanish and the loss is not scaled.

    Operators of mmcv, such as RoIAlign and NMS, compute in float32: they have no
    bfloat16 on a CPU. So do detectors what they make boxes of: bfloat16 rounds a
    coordinate of 1000 to a multiple of 4.

    A processor without instructions for bfloat16 gets a warning: there it is slower
    than float32.

    Args:
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not _computes_in_bfloat16():
            print_log(
                'mixed precision (--amp, --fast): this processor has no instructions '
                'for bfloat16 (avx512_bf16 or amx_bf16), so the training will be '
                'slower than in float32, perhaps many times; leave the option out',
                'current',
                logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Context in which the forward pass of a model runs under autocast."""
        _keep_operators_in_float32()
        with ExitStack() as stack:
            for module in model.modules():
                if hasattr(module, 'prior_generator'):  # a head of a detector
                    handle = module.register_forward_hook(_output_in_float32)
                    stack.enter_context(handle)
            stack.enter_context(super().optim_context(model))
            stack.enter_context(torch.autocast('cpu', torch.bfloat16))
            yield


def _computes_in_bfloat16() -> bool:
    """Whether the processor does, as far as PyTorch knows."""
    has = getattr(torch.cpu, 'get_capabilities', dict)()  # not before PyTorch 2.11
    is_x86 = has.get('architecture') == 'x86_64'
    return not is_x86 or has['avx512_bf16'] or has['amx_bf16']


def _keep_operators_in_float32() -> None:
    """Has the operators of mmcv that are loaded take bfloat16, and use float32."""
    for operator in Function.__subclasses__():
        is_adapted = hasattr(operator.forward, '__wrapped__')
        if operator.__module__.startswith('mmcv.ops.') and not is_adapted:
            operator.forward = staticmethod(_forward_in_float32(operator.forward))
            operator.backward = staticmethod(_backward_in_float32(operator.backward))


def _forward_in_float32(compute: Callable) -> Callable:
    @wraps(compute)
    def forward(context: object, *args: object) -> object:
        with torch.autocast('cpu', enabled=False):
            output = compute(context, *_as(torch.float32, args))
        is_bfloat16 = getattr(args[0], 'dtype', None) is torch.bfloat16
        return _as(torch.bfloat16, output) if is_bfloat16 else output

    return forward


def _backward_in_float32(compute: Callable) -> Callable:
    @wraps(compute)
    def backward(context: object, *gradients: Tensor | None) -> object:
        with torch.autocast('cpu', enabled=False):
            return compute(context, *_as(torch.float32, gradients))

    return backward


def _output_in_float32(module: nn.Module, args: tuple, output: object) -> object:
    return _as(torch.float32, output)


def _as(dtype: torch.dtype, values: object) -> object:
    """The same values, with the other of float32 and bfloat16 as ``dtype``."""
    other = {torch.float32: torch.bfloat16, torch.bfloat16: torch.float32}[dtype]

    def is_other(value: object) -> bool:
        return isinstance(value, Tensor) and value.is_cpu and value.dtype is other

    return apply_to(values, is_other, lambda value: value.to(dtype))
