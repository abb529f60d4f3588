"""Recipes of FreeKD: prompts are tuned and distilled with, with thin detectors."""

from pathlib import Path

import mmengine
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import get_installed_path

pytest.importorskip('mmdet')

from mmdet.testing import demo_mm_inputs  # noqa: E402

CONFIGS = Path(__file__).parents[2] / 'configs'
RECIPES = {
    path.stem: str(path.relative_to(CONFIGS))
    for folder in ('freekd/coco', 'bccd')
    for path in sorted((CONFIGS / folder).glob('freekd*.py'))
}
PROMPTS = [name for name in RECIPES if name.startswith('freekd-prompts')]
DISTILLATIONS = [name for name in RECIPES if name.startswith('freekd_')]
# Those of BCCD go through the tools, see tests/tools/test_freekd.py.
TRAINED = [name for name in DISTILLATIONS if name.endswith('coco')]


def thin(network):
    """Changes to a detector: an eighth of the channels in its backbone, 64 in heads."""
    file = Config.fromstring(f'_base_ = [{network.cfg_path!r}]', '.py').model
    backbone = dict(base_channels=8, depth=18, init_cfg=None)
    expansion = 1
    if file.backbone.type == 'ResNeXt':
        backbone.update(depth=50, groups=2)
        expansion = 4
    levels = file.backbone.get('out_indices', (0, 1, 2, 3))
    changes = dict(
        network,
        backbone=backbone,
        neck=dict(in_channels=[8 * expansion * 2**i for i in levels]),
    )
    if file.type == 'DINO':
        layers = dict(num_layers=1)
        changes.update(encoder=layers, decoder=layers, num_queries=30)
        return changes
    changes['neck']['out_channels'] = 64
    if 'roi_head' in file:
        changes['rpn_head'] = dict(in_channels=64, feat_channels=64)
        changes['roi_head'] = dict(bbox_roi_extractor=dict(out_channels=64))
        head = dict(in_channels=64, fc_out_channels=64)
        heads = file.roi_head.bbox_head
        if isinstance(heads, list):
            changes['roi_head'].update(
                bbox_head=[dict(h, **head) for h in heads],
                mask_roi_extractor=dict(out_channels=64),
                mask_head=dict(in_channels=64, conv_out_channels=64),
            )
        else:
            changes['roi_head']['bbox_head'] = head
    else:
        changes['bbox_head'] = dict(in_channels=64, feat_channels=64)
        if 'point_feat_channels' in file.bbox_head:
            changes['bbox_head']['point_feat_channels'] = 64
    return changes


def two_steps(config, build):
    """Builds a thin model and takes two steps; the model and what the first logs."""
    init_default_scope(config.default_scope)
    model = dict(config.model, teacher_ckpt=None, allow_random_teacher=True)
    for part in {'architecture', 'teacher'} & set(model):
        model[part] = thin(model[part])
    model = build({**model, 'input_shape': (3, 96, 96)}).train()
    model.init_weights()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    logs = []
    for _ in range(2):
        batch = demo_mm_inputs(
            2,
            [[3, 96, 96], [3, 80, 64]],
            num_classes=80,
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


@pytest.mark.parametrize('name', TRAINED)
def test_prompts_are_tuned_and_distilled_with(name, load, build, tmp_path):
    config = load(RECIPES[name])
    distiller = config.model.distiller
    tuning = load(RECIPES[Path(distiller.prompts).parent.name])
    prompts, log = two_steps(tuning, build)
    assert all(p.prompt.grad.any() for p in prompts.prompts)
    assert 0 < log['overlap'] <= 1

    distiller.prompts = str(tmp_path / 'prompts.pth')
    torch.save(dict(state_dict=prompts.state_dict()), distiller.prompts)
    _, log = two_steps(config, build)
    for i in range(1, 1 + len(prompts.prompts)):
        assert log[f'distill.loss_stage{i}'] > 0
        assert log[f'distill.loss_mse_stage{i}'] > 0
        if 'distill_losses' in distiller:
            assert log[f'distill.loss_regression{i}'] > 0


@pytest.mark.parametrize('name', DISTILLATIONS)
def test_the_prompts_are_those_of_the_teacher(name, load):
    config = load(RECIPES[name])
    file = Path(config.model.distiller.prompts)
    prompts = load(RECIPES[file.parent.name])
    assert file.name == f'iter_{prompts.train_cfg.max_iters}.pth'
    assert prompts.model.teacher == config.model.teacher
    assert prompts.model.teacher_ckpt == config.model.teacher_ckpt
    assert prompts.param_scheduler[0].T_max == prompts.train_cfg.max_iters


def test_teachers_are_the_published_ones(load):
    for name in PROMPTS:
        model = load(RECIPES[name]).model
        package, _, path = model.teacher.cfg_path.partition('::')
        if package != 'mmdet':
            continue
        folder = Path(get_installed_path('mmdet'), '.mim/configs', path).parent
        models = mmengine.load(folder / 'metafile.yml')['Models']
        weights = {entry['Name']: entry.get('Weights') for entry in models}
        assert model.teacher_ckpt == weights[Path(path).stem], name
