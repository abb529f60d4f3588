from .channels_last_hook import ChannelsLastHook
from .distill_warmup_hook import DistillWarmupHook
from .eval_teacher_hook import EvalTeacherHook
from .first_batch_hook import FirstBatchHook
from .gamma_log_hook import GammaLogHook
from .old_checkpoint_hook import OldCheckpointHook

__all__ = [
    'ChannelsLastHook',
    'DistillWarmupHook',
    'EvalTeacherHook',
    'FirstBatchHook',
    'GammaLogHook',
    'OldCheckpointHook',
]
