from .average_losses_hook import AverageLossesHook
from .distill_warmup_hook import DistillWarmupHook
from .eval_teacher_hook import EvalTeacherHook
from .gamma_log_hook import GammaLogHook
from .non_finite_hook import NonFiniteHook
from .stop_signal_hook import StopSignalHook

__all__ = [
    'AverageLossesHook',
    'DistillWarmupHook',
    'EvalTeacherHook',
    'GammaLogHook',
    'NonFiniteHook',
    'StopSignalHook',
]
