"""A check that all processes of a training start at the same place, and end there."""

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import IterBasedTrainLoop, Runner


@HOOKS.register_module()
class SameStartHook(Hook):
    """Refuses a training whose processes start, or would end, at different iterations.

    Every process looks for the checkpoint to resume from by itself. On a machine that
    does not see the work folder of the others it finds none, and would train weights
    of its own. One that has fewer batches in an epoch than the others would be gone
    while they wait for its gradients.

    Raises:
        ValueError: If the iterations differ, or the numbers of batches.
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
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            return
        counts = all_gather_object(len(runner.train_dataloader))
        if len(set(counts)) > 1:
            raise ValueError(
                'The processes have different numbers of batches in an epoch: '
                + ', '.join(f'{i} has {count}' for i, count in enumerate(counts))
                + '; set train_dataloader.sampler.round_up=True'
            )
