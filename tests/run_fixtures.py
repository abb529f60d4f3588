"""Work folders and checkpoints of trainings, as the tools read them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope='session')
def recorded():
    """Work dirs of real trainings, see the README there."""
    return ROOT / 'tests/data/runs'


@pytest.fixture
def make_run(tmp_path):
    """Writes a work dir: one log for every list of lines, and the config."""

    def make(name, *logs, config='', config_name='resnet20_1xb64_cifar100'):
        work_dir = tmp_path / name
        for i, lines in enumerate(logs):
            vis_data = work_dir / f'2026010{i}_000000/vis_data'
            vis_data.mkdir(parents=True)
            text = ''.join(json.dumps(line) + '\n' for line in lines)
            (vis_data / 'scalars.json').write_text(text)
            (vis_data / 'config.py').write_text(config)
        work_dir.mkdir(exist_ok=True)
        (work_dir / f'{config_name}.py').write_text(config)
        return work_dir

    return make


@pytest.fixture
def epochs():
    """Makes the log of some epochs of 100 iterations, 50 iterations a line."""

    def make(first, last, loss=1.0, accuracy=None, **scalars):
        lines = []
        for epoch in range(first, last + 1):
            for i in (50, 100):
                iteration = 100 * (epoch - 1) + i
                position = dict(epoch=epoch, iter=iteration, step=iteration)
                lines.append(dict(loss=loss, time=0.5, **scalars, **position))
            if accuracy is not None:
                metrics = {'accuracy/top1': accuracy + epoch, 'accuracy/top5': 90.0}
                lines.append(dict(metrics, time=0.1, data_time=0.1, step=epoch))
        return lines

    return make


@pytest.fixture
def detection_lines():
    """A log by iteration as MMDetection writes it, validations at step 0."""
    lines = []
    for i in (50, 100, 150, 200):
        lines.append(dict(loss=2.0, loss_cls=1.5, time=0.25, iter=i, step=i))
        if i % 100 == 0:
            metrics = {'coco/bbox_mAP': i / 1000, 'coco/bbox_mAP_50': 0.5}
            lines.append(dict(metrics, time=0.1, data_time=0.1, step=0))
    return lines


def save_networks(
    folder: Path, recipes: dict[str, str], classes: Sequence[str]
) -> None:
    """Writes checkpoints of networks as MMEngine does, with random weights.

    Args:
        folder: Where they go.
        recipes: Name of a checkpoint -> its recipe below ``configs/``; the student in
            ``famkd`` is the one in ``student``.
        classes: Names of the classes.
    """
    import torch
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    from famkd.models.algorithms.networks import build_network

    students = None
    for name, recipe in sorted(recipes.items()):  # famkd comes before student
        config = Config.fromfile(ROOT / f'configs/{recipe}.py')
        if name == 'famkd':
            config.model.update(teacher_ckpt=None, allow_random_teacher=True)
        with DefaultScope.overwrite_default_scope(config.default_scope):
            torch.manual_seed(0)
            model = build_network(config.model)
        if name == 'famkd':
            students = model.architecture.state_dict()
        if name == 'student':
            model.load_state_dict(students)
        meta = dict(cfg=config.pretty_text, dataset_meta=dict(classes=classes))
        content = dict(state_dict=model.state_dict(), meta=meta)
        torch.save(content, folder / f'{name}.pth')


@pytest.fixture(scope='session')
def checkpoints(tmp_path_factory):
    """Checkpoints of the demo's networks, see :func:`save_networks`."""
    pytest.importorskip('torch')
    folder = tmp_path_factory.mktemp('checkpoints')
    recipes = {
        'famkd': 'demo/famkd_resnet20_resnet8_digits',
        'teacher': 'demo/resnet20_digits',
        'student': 'demo/resnet8_digits',
    }
    save_networks(folder, recipes, [f'digit {i}' for i in range(10)])
    return folder
