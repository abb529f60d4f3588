from .average_losses_hook import AverageLossesHook
from .distill_warmup_hook import DistillWarmupHook
from .eval_teacher_hook import EvalTeacherHook
from .exact_resume_hook import ExactResumeHook
from .gamma_log_hook import GammaLogHook
from .non_finite_hook import NonFiniteHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .same_start_hook import SameStartHook
from .stop_signal_hook import StopSignalHook

__all__ = [
    'AverageLossesHook',
    'DistillWarmupHook',
    'EvalTeacherHook',
    'ExactResumeHook',
    'GammaLogHook',
    'NonFiniteHook',
    'SafeCheckpointHook',
    'SameStartHook',
    'StopSignalHook',
]
