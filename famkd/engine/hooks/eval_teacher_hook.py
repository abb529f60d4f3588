"""A look at the teacher before a student learns from it."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner, autocast

from famkd.runtime.unwrapped import unwrapped_model


@HOOKS.register_module()
class EvalTeacherHook(Hook):
    """Evaluates the teacher once before the training, as the student will be.

    The validation data and metrics are those of the config, the images those that
    the teacher gets in training. The metrics are logged, and again at each validation
    of the student; the visualizer keeps them as ``teacher/NAME`` at step 0.

    Raises:
        ValueError: If the training has no validation, or the model no teacher.
    """

    def __init__(self) -> None:
        self.metrics = ''

    def before_train(self, runner: Runner) -> None:
        model = unwrapped_model(runner)
        if not hasattr(model, 'predict_with_teacher'):
            raise ValueError(
                f'EvalTeacherHook: the model is a {type(model).__name__}; only '
                'FeatureDistill has its teacher evaluated'
            )
        if runner.val_loop is None:
            raise ValueError(
                'EvalTeacherHook: the teacher is evaluated with val_dataloader and '
                'val_evaluator, which this training does not have; set them, or leave '
                'the hook (--eval-teacher) out'
            )
        loader, evaluator = runner.val_loop.dataloader, runner.val_loop.evaluator
        training = model.training
        model.eval()
        for batch in loader:
            with torch.no_grad(), autocast(enabled=runner.val_loop.fp16):
                predictions = model.predict_with_teacher(batch)
            evaluator.process(data_samples=predictions, data_batch=batch)
        metrics = evaluator.evaluate(len(loader.dataset))
        model.train(training)

        runner.visualizer.add_scalars(
            {f'teacher/{name}': value for name, value in metrics.items()}, step=0
        )
        self.metrics = '  '.join(f'{name}: {x:.4f}' for name, x in metrics.items())
        runner.logger.info(f'Teacher before training: {self.metrics}')

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        if self.metrics:
            runner.logger.info(f'The teacher has {self.metrics}; the student:')
