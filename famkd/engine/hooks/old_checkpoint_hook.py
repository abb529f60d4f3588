"""Going on from checkpoints that still hold the teacher."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class OldCheckpointHook(Hook):
    """Resumes from checkpoints that hold the teacher, as their optimizer does.

    The weights of the teacher are the last ones in its list, and have no state: they
    were never trained.
    ``tools/train.py --resume`` adds the hook to a distillation.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Takes the teacher's weights out of the state of the optimizer."""
        weights = checkpoint.get('state_dict', {})
        if 'optimizer' not in checkpoint or not any(
            key.startswith('teacher.') for key in weights
        ):
            return
        ours = runner.optim_wrapper.optimizer.param_groups
        groups = checkpoint['optimizer']['param_groups'][: len(ours)]
        for group, own in zip(groups, ours, strict=True):
            group['params'] = group['params'][: len(own['params'])]
        checkpoint['optimizer']['param_groups'] = groups
