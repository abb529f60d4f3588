"""A check that all processes of a training start at the same place."""

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class SameStartHook(Hook):
    """Refuses a training whose processes start at different iterations.

    Every process looks for the checkpoint to resume from by itself. On a machine that
    does not see the work folder of the others it finds none, and would train weights
    of its own.

    Raises:
        ValueError: If the iterations differ.
    """

    def before_train(self, runner: Runner) -> None:
        starts = all_gather_object(runner.iter)
        if len(set(starts)) > 1:
            raise ValueError(
                'The processes would start at different iterations: '
                + ', '.join(f'{i} at {start}' for i, start in enumerate(starts))
                + f'; work_dir={runner.work_dir!r} must be a folder that all machines '
                'share, or --resume must name a checkpoint that all of them have'
            )
