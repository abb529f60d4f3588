"""Whether data and networks agree in classes, sizes and normalisation."""

from typing import TYPE_CHECKING

from famkd.engine.hooks.first_batch_hook import data_classes, head_classes
from famkd.runtime.unwrapped import unwrapped_model

if TYPE_CHECKING:
    from mmengine.dataset import BaseDataset
    from mmengine.runner import Runner
    from torch import nn


def check_data_agree(runner: 'Runner') -> tuple[list[str], list[str]]:
    """Compares the data of the training and of the validation with the networks.

    Returns:
        tuple: Lines to print, and what looks wrong: other numbers of classes, or
        training and validation with other classes.
    """
    model = unwrapped_model(runner)
    data = {'training': runner.train_loop.dataloader.dataset}
    if runner.val_loop is not None:
        data['validation'] = runner.val_loop.dataloader.dataset
    networks = {'network': model}
    if hasattr(model, 'guest'):
        networks = {'student': model.student, 'teacher': model.teacher}
    lines, counts = [], {}
    for name, dataset in data.items():
        counts[f'{name} data'] = class_count(dataset)
        lines.append(f'{name}: {len(dataset)} images')
    for name, network in networks.items():
        counts[name] = head_classes(network)
    counts = {name: count for name, count in counts.items() if count is not None}
    lines.append('classes: ' + ', '.join(f'{n} {count}' for n, count in counts.items()))
    if hasattr(model, 'guest'):
        lines.append(f'normalisation: {_normalization(model)}')

    wrong = []
    if len(set(counts.values())) > 1:
        wrong.append(f'the numbers of classes differ: {lines[-2].partition(": ")[2]}')
    names = {name: data_classes(dataset) for name, dataset in data.items()}
    if len(names) == 2 and names['training'] != names['validation']:
        wrong.append('training and validation data have other classes')
    return lines, wrong


def class_count(dataset: 'BaseDataset') -> int | None:
    """How many classes a data set has; None if it does not say."""
    return len(data_classes(dataset)) or None


def _normalization(model: 'nn.Module') -> str:
    from torch import nn

    if isinstance(model.guest.renormalize, nn.Identity):
        return 'the same for both networks'
    return "student's images are normalised anew for the teacher"
