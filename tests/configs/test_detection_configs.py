"""Each method and each pair of detectors takes a training step, with thin backbones."""

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
# All pairs with FAM-KD, and one pair with the other methods: that the other recipes
# differ in the method or in the pair only is tested in test_configs.py.
TRAINED = [
    *(
        str(path.relative_to(CONFIGS))
        for path in sorted(CONFIGS.rglob('famkd_*.py'))
        if path.parent.name in ('coco', 'bccd')
        and '1xb8' in path.stem
        and 'l2l' not in path.stem
    ),
    'famkd_l2l/coco/famkd-l2l_retinanet_r101_r50_fpn_1xb8-180k_coco.py',
    'reviewkd/coco/reviewkd_retinanet_r101_r50_fpn_1xb8-180k_coco.py',
    'bccd/fourier-kd_faster-rcnn_r18-w32_r18-w8_fpn_1xb8-600i_bccd-small.py',
    'bccd/mse_faster-rcnn_r18-w32_r18-w8_fpn_1xb8-600i_bccd-small.py',
    # The teachers that are trained here.
    'bccd/faster-rcnn_r50_fpn_1xb8-2k_bccd.py',
    'bccd/faster-rcnn_r18-w32_fpn_1xb8-600i_bccd-small.py',
]


def thinner(network):
    """Changes to a detector: an eighth of the channels in backbone, neck and heads."""
    if network.get('cfg_path'):
        network = Config.fromstring(f'_base_ = [{network.cfg_path!r}]', '.py').model
    changes = dict(neck=dict(out_channels=32))
    if network.backbone.type == 'ResNet':
        channels = network.backbone.get('base_channels', 64) // 8
        changes['backbone'] = dict(base_channels=channels)
        changes['neck']['in_channels'] = [n // 8 for n in network.neck.in_channels]
    for head in {'rpn_head', 'bbox_head'} & set(network):
        changes[head] = dict(in_channels=32, feat_channels=32)
    if 'roi_head' in network:
        changes['roi_head'] = dict(
            bbox_roi_extractor=dict(out_channels=32),
            bbox_head=dict(in_channels=32, fc_out_channels=32),
        )
        if 'mask_head' in network.roi_head:
            changes['roi_head'].update(
                mask_roi_extractor=dict(out_channels=32),
                mask_head=dict(in_channels=32, conv_out_channels=32),
            )
    return changes


def losses_of_a_step(config, recipe, build):
    """The model and what it logs of a step, on two images of different sizes."""
    init_default_scope(config.default_scope)
    distils = 'teacher' in config.model
    if distils:
        config.model.update(teacher_ckpt=None, allow_random_teacher=True)
        roles = ('architecture', 'teacher')
        changes = {role: thinner(config.model[role]) for role in roles}
    else:
        changes = thinner(config.model)
    config.merge_from_dict(dict(model=changes))
    model = build(config.model).train()

    classes = config.train_dataloader.dataset.get('metainfo', {}).get('classes', ())
    batch = demo_mm_inputs(
        2,
        [[3, 64, 96], [3, 80, 64]],
        num_classes=len(classes) or 80,
        with_mask='mask' in recipe,
    )
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    total, log = model.parse_losses(losses)
    total.backward()
    for name, value in log.items():
        assert value.isfinite(), name
    if distils:
        assert all(log[f'distill.loss_stage{i}'] > 0 for i in range(1, 6))
    return model


@pytest.mark.parametrize('recipe', TRAINED)
def test_config_trains(recipe, load, build):
    config = load(recipe)
    model = losses_of_a_step(config, recipe, build)
    # DistributedDataParallel waits for every gradient.
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None or not parameter.requires_grad, name
    if hasattr(model, 'distiller'):
        for name, parameter in model.student.neck.named_parameters():
            assert parameter.grad.any(), name


def test_mixed_precision(load, build):
    # On a CPU, mmcv's NMS takes no bfloat16: a detector that trains without.
    recipe = 'famkd/coco/famkd_retinanet_r101_r50_fpn_1xb8-180k_coco.py'
    with torch.autocast('cpu', torch.bfloat16):
        model = losses_of_a_step(load(recipe), recipe, build)
    for parameter in model.distiller.parameters():
        assert parameter.grad.dtype == torch.float32
        assert parameter.grad.isfinite().all()


def test_teachers_are_the_published_ones(load):
    for recipe in TRAINED:
        model = load(recipe).model
        package, _, path = model.get('teacher', {}).get('cfg_path', '').partition('::')
        if package != 'mmdet':
            continue
        folder = Path(get_installed_path('mmdet'), '.mim/configs', path).parent
        models = mmengine.load(folder / 'metafile.yml')['Models']
        weights = {entry['Name']: entry.get('Weights') for entry in models}
        assert model.teacher_ckpt == weights[Path(path).stem], recipe


@pytest.mark.parametrize('pair', ['r101_r18', 'r101_r50', 'r50_mobilenet-v2'])
def test_eight_gpus_follow_the_linear_rule(pair, load):
    one, eight = (
        load(f'famkd/coco/famkd_faster-rcnn_{pair}_fpn_{setting}_coco.py')
        for setting in ('1xb8-180k', '8xb2-90k')
    )
    ratio = 8 * eight.train_dataloader.batch_size / one.train_dataloader.batch_size
    assert eight.optim_wrapper.optimizer.lr == ratio * one.optim_wrapper.optimizer.lr
    assert eight.train_cfg.max_iters == one.train_cfg.max_iters / ratio == 90000
    steps = [config.param_scheduler[1].milestones for config in (one, eight)]
    assert steps == [[120000, 160000], [60000, 80000]]
    assert eight.model == one.model
