"""The losses of the first step, and how hard each of them pulls."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from famkd.apis.tables import markdown_table
from famkd.runtime.unwrapped import optim_wrappers, unwrapped_model

if TYPE_CHECKING:
    from mmengine.runner import Runner
    from torch import Tensor, nn

LARGE = 100  # times the task loss
# Times its gradient, which is small while the head is random: FAM-KD's pooled stage
# pulls 113 times as hard in configs/demo, where it helps.
STEEP, FAINT = 1000, 1e-4
Feature = tuple[str, tuple[int, ...]]  # module, shape (C, H, W)


@dataclass
class FirstStep:
    """What the first batch gives.

    Attributes:
        task: The student's own losses, by name.
        terms: The distillation's, with their full weight.
        features: The student's recorded features, by the names of their recorders.
        pairs: The stages that are compared, student and teacher.
    """

    task: dict[str, 'Tensor']
    terms: dict[str, 'Tensor']
    features: dict[str, 'Tensor'] = field(default_factory=dict)
    pairs: list[tuple[Feature, Feature]] = field(default_factory=list)


def first_step(runner: 'Runner', batches: Iterator) -> FirstStep:
    """Runs the model on one batch of the training, without changing it.

    The weight of the distillation is the full one, whatever its warm-up is.

    Args:
        runner: Runner of the training.
        batches: Its batches.

    Raises:
        ValueError: If the batch does not fit the model, see :class:`FirstBatchHook`.
    """
    from famkd.engine.hooks import FirstBatchHook

    model = unwrapped_model(runner)
    model.train()
    batch = next(batches)
    hook = FirstBatchHook()
    hook.before_train_iter(runner, 0, batch)
    data = model.data_preprocessor(batch, True)
    step = FirstStep({}, {})
    if hasattr(model, '_forget_records'):
        forget = model._forget_records

        def keep_and_forget() -> None:
            step.features = _features(model.distiller)
            step.pairs = _pairs(model.distiller)
            forget()

        model._forget_records = keep_and_forget
    try:
        with optim_wrappers(runner)[0].optim_context(model):
            losses = model(**data, mode='loss')
    finally:
        hook.after_train_iter(runner, 0)
        vars(model).pop('_forget_records', None)
    for name, value in losses.items():
        if 'loss' in name:
            values = value if isinstance(value, (list, tuple)) else [value]
            total = sum(x.mean() for x in values)
            is_term = name.startswith('distill.')
            (step.terms if is_term else step.task)[name] = total
    return step


def check_losses(step: FirstStep) -> tuple[list[str], list[str]]:
    r"""Every loss, and the norm of its gradient at the student's recorded features.

    .. math:: \lVert \partial L_j / \partial (f_1, f_2, \dots) \rVert_2

    Where the student has no loss of its own, nothing is compared with it.

    Args:
        step: The first step.

    Returns:
        tuple: Lines to print, and what looks wrong: a loss that is no number, or a
        distillation loss that is 100 times the task loss, or pulls 1000 times as
        hard, or 10,000 times less.
    """
    features = list(step.features.values())
    rows = [['', 'loss', 'gradient', 'of the task loss']]
    size = pull = None  # of the task loss
    for name, value in step.task.items():
        rows.append([name, f'{value.item():.4g}', '', ''])
    if step.task:
        task = sum(step.task.values())
        size, pull = task.item(), gradient_norm(task, features)
        rows.append(['task loss', f'{size:.4g}', _text(pull), '1'])
    wrong = []
    for name, value in step.terms.items():
        norm = gradient_norm(value, features)
        ratio = norm / pull if norm is not None and pull else None
        rows.append([name, f'{value.item():.4g}', _text(norm), _text(ratio)])
        times = value.item() / size if size else 0
        if times >= LARGE:
            wrong.append(
                f'{name} is {times:.3g} times the task loss: give it a smaller weight'
            )
        elif ratio is not None and ratio >= STEEP:
            wrong.append(
                f'{name} pulls {ratio:.3g} times as hard as the task loss at the '
                "student's features: give it a smaller weight"
            )
        elif ratio is not None and ratio < FAINT:
            wrong.append(
                f'{name} pulls {ratio:.3g} times as hard as the task loss: it changes '
                'next to nothing; give it a larger weight'
            )
    for name, value in {**step.task, **step.terms}.items():
        if not value.isfinite():
            wrong.append(f'{name} is {value.item()}')
    return [markdown_table(rows)], wrong


def gradient_norm(loss: 'Tensor', features: list['Tensor']) -> float | None:
    """Norm of the gradient of a loss at features; None where it has none there."""
    import torch

    features = [x for x in features if x.requires_grad]
    if not features or not loss.requires_grad:
        return None
    gradients = torch.autograd.grad(
        loss, features, retain_graph=True, allow_unused=True
    )
    norms = [x.float().norm() for x in gradients if x is not None]
    return torch.stack(norms).norm().item() if norms else None


def _features(distiller: 'nn.Module') -> dict[str, 'Tensor']:
    """The student's records as they are in its graph."""
    import torch

    indices = {
        stage.recorder: (stage.record_idx, stage.data_idx)
        for stage in getattr(distiller, 'student_stages', ())
    }
    features = {}
    for name, recorder in distiller.student_recorders.recorders.items():
        record_idx, data_idx = indices.get(name, (0, None))
        record = recorder.get_record_data(record_idx)
        if isinstance(record, (list, tuple)):
            record = record[data_idx or 0]
        if isinstance(record, torch.Tensor):
            features[name] = record
    return features


def _pairs(distiller: 'nn.Module') -> list[tuple[Feature, Feature]]:
    sides = []
    for role in ('student', 'teacher'):
        recorders = getattr(distiller, f'{role}_recorders')
        stages = getattr(distiller, f'{role}_stages', ())
        sides.append([(s.source, tuple(s.read(recorders).shape[1:])) for s in stages])
    return list(zip(*sides, strict=True))


def _text(value: float | None) -> str:
    return '-' if value is None else f'{value:.3g}'
