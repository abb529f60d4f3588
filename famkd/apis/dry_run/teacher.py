"""Whether the teacher knows the task: its metrics on a sample of the validation."""

import time
from typing import TYPE_CHECKING

import numpy as np

from famkd.apis.dry_run.agreement import class_count
from famkd.engine.hooks.first_batch_hook import head_classes
from famkd.runtime.unwrapped import unwrapped_model

if TYPE_CHECKING:
    from mmengine.evaluator import BaseMetric
    from mmengine.runner import Runner

IMAGES, SECONDS = 1000, 15  # at most, but at least one batch
# What a network that guesses reaches, of the number of classes.
CHANCE = {
    'accuracy/top1': lambda classes: 100 / classes,
    'mIoU': lambda classes: 100 / classes,
    'coco/bbox_mAP': lambda classes: 0.01,
}


def check_teacher(runner: 'Runner') -> tuple[list[str], list[str]]:
    """Evaluates the teacher on images drawn at random from the validation data.

    Args:
        runner: Runner of the training.

    Returns:
        tuple: Lines to print (none without a teacher or a validation), and what looks
        wrong: a metric of less than twice that of guessing, or, of few classes, less
        than a quarter of the way from there to 100.
    """
    import torch
    from mmengine.runner import autocast

    model = unwrapped_model(runner)
    if not hasattr(model, 'predict_with_teacher') or runner.val_loop is None:
        return [], []
    if getattr(model.teacher, 'head', True) is None:
        return ['it has no head, and so no metric'], []
    loader, evaluator = runner.val_loop.dataloader, runner.val_loop.evaluator
    dataset, size = loader.dataset, loader.batch_size or 1
    order = np.random.default_rng(0).permutation(len(dataset))[:IMAGES]
    was_training = model.training
    model.eval()
    start, done = time.perf_counter(), 0
    while done < len(order) and (not done or time.perf_counter() < start + SECONDS):
        batch = loader.collate_fn([dataset[int(i)] for i in order[done : done + size]])
        with torch.no_grad(), autocast(enabled=runner.val_loop.fp16):
            try:
                predictions = model.predict_with_teacher(batch)
            except ValueError as error:  # it has none that could be evaluated
                model.train(was_training)
                return [str(error)], []
        evaluator.process(data_samples=predictions, data_batch=batch)
        done += len(predictions)
    model.train(was_training)
    leave_other_images_out(evaluator.metrics)
    metrics = evaluator.evaluate(done)
    shown = '  '.join(f'{name}: {value:.4g}' for name, value in metrics.items())
    lines = [f'{shown}  (on {done} of {len(dataset)} images of the validation)']
    classes = class_count(dataset) or head_classes(model.teacher)
    wrong = []
    for name in [name for name in CHANCE if name in metrics and classes]:
        chance = CHANCE[name](classes)
        if metrics[name] < chance + min(chance, (100 - chance) / 4):
            wrong.append(
                f'the teacher has {name} = {metrics[name]:.4g}, hardly more than '
                f'guessing ({chance:.4g}): is model.teacher_ckpt the right checkpoint, '
                'and is it trained on these classes?'
            )
    return lines, wrong


def leave_other_images_out(metrics: list['BaseMetric']) -> None:
    """Lets COCO's metrics count the boxes of the images only that were looked at."""
    for metric in metrics:
        coco = getattr(metric, '_coco_api', None)
        if coco is not None:
            seen = {truth['img_id'] for truth, _ in metric.results}
            coco.imgs = {key: coco.imgs[key] for key in coco.imgs if key in seen}
