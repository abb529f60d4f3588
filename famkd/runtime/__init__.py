"""The runtime: what makes any training of MMEngine safe, exact and crash-proof.

It knows nothing of distillation. Importing it registers its hooks.
"""

from .average_losses_hook import AverageLossesHook
from .cpu_amp_optim_wrapper import CPUAmpOptimWrapper
from .exact_resume_hook import ExactResumeHook
from .non_finite_hook import NonFiniteHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .same_start_hook import SameStartHook
from .stop_signal_hook import StopSignalHook

__all__ = [
    'AverageLossesHook',
    'CPUAmpOptimWrapper',
    'ExactResumeHook',
    'NonFiniteHook',
    'SafeCheckpointHook',
    'SameStartHook',
    'StopSignalHook',
]
