from .distill_warmup_hook import DistillWarmupHook
from .gamma_log_hook import GammaLogHook

__all__ = ['DistillWarmupHook', 'GammaLogHook']
