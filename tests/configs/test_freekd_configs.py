"""Every recipe of FreeKD builds and takes two steps, with thin backbones."""

from functools import cache
from pathlib import Path

import mmengine
import pytest
import torch
from mmengine.config import Config, utils
from mmengine.registry import init_default_scope
from mmengine.utils import get_installed_path

import famkd.registry  # noqa: F401 (recipes inherit from 'famkd::...')

pytest.importorskip('mmdet')

from mmdet.testing import demo_mm_inputs  # noqa: E402

CONFIGS = Path(__file__).parents[2] / 'configs'
RECIPES = {
    path.stem: path
    for folder in ('freekd/coco', 'bccd')
    for path in sorted((CONFIGS / folder).glob('freekd*.py'))
}
PROMPTS = [name for name in RECIPES if name.startswith('freekd-prompts')]
DISTILLATIONS = [name for name in RECIPES if name.startswith('freekd_')]


@pytest.fixture(scope='module', autouse=True)
def read_model_indexes_once():
    # MMEngine reads all model indexes of a package for each `package::config`.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, '_get_cfg_metainfo', cache(utils._get_cfg_metainfo))
        yield


@pytest.fixture(scope='module')
def load():
    """Function (name): config of a recipe."""
    return cache(lambda name: Config.fromfile(RECIPES[name]))


def thin(network):
    """Changes of a network, an eighth of its channels or an eighth of its groups."""
    file = Config.fromstring(f'_base_ = [{network.cfg_path!r}]', '.py').model
    changes = dict(network, backbone=dict(init_cfg=None), neck={})
    if file.backbone.type == 'ResNet':
        changes['backbone'].update(depth=18, base_channels=8)
        levels = file.backbone.get('out_indices', (0, 1, 2, 3))
        changes['neck'] = dict(in_channels=[8 * 2**i for i in levels])
    else:
        changes['backbone'].update(depth=50, groups=4)
    if file.type == 'DINO':
        layers = dict(num_layers=1)
        changes.update(encoder=layers, decoder=layers, num_queries=30)
    return changes


def two_steps(config, build, **changes):
    """Builds a thin model and takes two steps; the model and what the first logs."""
    init_default_scope(config.default_scope)
    model = dict(config.model, teacher_ckpt=None, allow_random_teacher=True, **changes)
    for part in ('architecture', 'teacher'):
        if part in model:
            model[part] = thin(model[part])
    model = build({**model, 'input_shape': (3, 96, 96)}).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    classes = config.train_dataloader.dataset.get('metainfo', {}).get('classes', ())
    logs = []
    for _ in range(2):
        batch = demo_mm_inputs(
            2,
            [[3, 96, 96], [3, 80, 64]],
            num_classes=len(classes) or 80,
            with_mask='with_mask=True' in config.pretty_text,
        )
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        total, log = model.parse_losses(losses)
        logs.append(log)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        for name, value in log.items():
            assert value.isfinite(), name
    # DistributedDataParallel waits for every gradient.
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None or not parameter.requires_grad, name
    return model, logs[0]


@pytest.mark.parametrize('name', PROMPTS)
def test_prompts_are_tuned(name, load, build):
    model, log = two_steps(load(name), build)
    assert all(p.prompt.grad.any() for p in model.prompts)
    assert 0 < log['overlap'] <= 1
    assert log['loss_overlap'] > 0


@pytest.mark.parametrize('name', DISTILLATIONS)
def test_distillations_train(name, load, build, tmp_path):
    config = load(name)
    prompts = load(Path(config.model.distiller.prompts).parent.name)
    stages = (
        config.model.distiller.get('stages') or config.model.distiller.teacher_stages
    )
    channels = 64 if 'small' in name else 256
    torch.manual_seed(0)
    weights = {
        f'prompts.{i}.prompt': torch.randn(
            prompts.model.levels + 1, prompts.model.num_prompts, channels
        )
        for i in range(len(stages))
    }
    torch.save(dict(state_dict=weights), tmp_path / 'prompts.pth')
    distiller = dict(config.model.distiller, prompts=str(tmp_path / 'prompts.pth'))
    model, log = two_steps(config, build, distiller=distiller)
    for i in range(len(stages)):
        assert log[f'distill.loss_stage{i + 1}'] > 0
        assert log[f'distill.loss_mse_stage{i + 1}'] > 0
        if 'student_recorders' in distiller:
            assert log[f'distill.loss_regression{i + 1}'] > 0


@pytest.mark.parametrize('name', DISTILLATIONS)
def test_the_prompts_are_those_of_the_teacher(name, load):
    config = load(name)
    file = Path(config.model.distiller.prompts)
    prompts = load(file.parent.name)
    assert file.name == f'iter_{prompts.train_cfg.max_iters}.pth'
    assert prompts.model.teacher == config.model.teacher
    assert prompts.model.teacher_ckpt == config.model.teacher_ckpt
    assert prompts.param_scheduler[0].T_max == prompts.train_cfg.max_iters


def test_teachers_are_the_published_ones(load):
    for name in PROMPTS:
        model = load(name).model
        package, _, path = model.teacher.cfg_path.partition('::')
        if package != 'mmdet':
            continue
        folder = Path(get_installed_path('mmdet'), '.mim/configs', path).parent
        models = mmengine.load(folder / 'metafile.yml')['Models']
        weights = {entry['Name']: entry.get('Weights') for entry in models}
        assert model.teacher_ckpt == weights[Path(path).stem], name
