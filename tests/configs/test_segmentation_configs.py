"""Each method and each pair of segmentors takes a training step, with thin networks."""

import re
from pathlib import Path

import mmengine
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmengine.utils import get_installed_path

pytest.importorskip('mmseg')

from mmseg.structures import SegDataSample  # noqa: E402
from test_configs import without_method, without_pair  # noqa: E402

CONFIGS = Path(__file__).parents[2] / 'configs'
RECIPES = {
    path.stem: str(path.relative_to(CONFIGS))
    for folder in ('*/cityscapes', 'camvid')
    for path in sorted(CONFIGS.glob(f'{folder}/*.py'))
}
# All methods with one pair, and all pairs with FAM-KD: that the other recipes differ in
# the method or in the pair only is tested below.
PAIRS = [
    'pspnet_r101_deeplabv3_r18',
    'deeplabv3_r101_r18',
    'segformer_mit-b3_pspnet_r18',
]
METHODS = ['famkd', 'famkd-l2l', 'reviewkd', 'kd', 'cwd', 'fourier-kd', 'freekd']
CROPS = ['4xb4-40k_cityscapes-512x512', '8xb2-40k_cityscapes-512x1024']
TRAINED = [
    *(f'{method}_pspnet_r101_r18_{CROPS[0]}' for method in METHODS[:-1]),
    *(f'famkd_{pair}_{CROPS[0]}' for pair in PAIRS),
    'famkd_pspnet_r18-w32_r18-w8_1xb4-800i_camvid-144x192',
    # Networks alone.
    f'deeplabv3_r18_{CROPS[0]}',
]
STUDENTS = [name for name in RECIPES if re.match(f'({"|".join(METHODS)})_', name)]
WITH_PROMPTS = [name for name in RECIPES if name.startswith('freekd_')]
SIZE = 48, 64


def thin(network):
    """A segmentor with an eighth of the channels of ResNet-18, or a tiny SegFormer."""
    if network.get('cfg_path'):
        network = Config.fromstring(f'_base_ = [{network.cfg_path!r}]', '.py').model
    model = Config(dict(model=network.to_dict())).model
    if model.backbone.type == 'MixVisionTransformer':
        model.backbone.update(embed_dims=8, num_layers=[1, 1, 1, 1], init_cfg=None)
        model.decode_head.update(in_channels=[8, 16, 40, 64], channels=16)
    else:
        model.update(pretrained=None)
        model.backbone.update(depth=18, base_channels=8, stem_channels=8)
        model.decode_head.update(in_channels=64, channels=8)
        model.auxiliary_head.update(in_channels=32, channels=8)
    model.data_preprocessor.size = SIZE
    model['_scope_'] = 'mmseg'
    return model


def batch(classes):
    """Two random images and their masks, in which some pixels are ignored."""
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, classes, (2, 1, *SIZE), generator=generator)
    masks[..., :3] = 255
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(data=mask),
            metainfo=dict(img_shape=SIZE, ori_shape=SIZE),
        )
        for mask in masks
    ]
    images = torch.randn(2, 3, *SIZE, generator=generator)
    return images, samples


def step(config, build):
    """The model and what it logs of a training step."""
    init_default_scope(config.default_scope)
    model = config.model
    for role in {'architecture', 'teacher'} & set(model):
        model[role] = thin(model[role])
    if 'teacher' in model:
        model.update(teacher_ckpt=None, allow_random_teacher=True)
        model.input_shape = (3, *SIZE)
    else:
        model = thin(model)
    classes = len(
        config.train_dataloader.dataset.get('metainfo', {}).get('classes', ())
    )
    model = build(model).train()
    total, log = model.parse_losses(model(*batch(classes or 19), mode='loss'))
    total.backward()
    for name, value in log.items():
        assert value.isfinite(), name
    # DistributedDataParallel waits for every gradient.
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None or not parameter.requires_grad, name
    return model, log


@pytest.mark.parametrize('name', TRAINED)
def test_recipe_trains(name, load, build):
    model, log = step(load(RECIPES[name]), build)
    prefix = 'student.' if hasattr(model, 'distiller') else ''
    assert log[f'{prefix}decode.loss_ce'] > 0
    assert log[f'{prefix}aux.loss_ce'] > 0
    distilled = [value for key, value in log.items() if key.startswith('distill.loss')]
    assert bool(distilled) == hasattr(model, 'distiller')
    assert all(value > 0 for value in distilled)


def test_mixed_precision(load, build):
    with torch.autocast('cpu', torch.bfloat16):
        model, _ = step(load(RECIPES[TRAINED[0]]), build)
    for parameter in model.distiller.parameters():
        assert parameter.grad.dtype == torch.float32
        assert parameter.grad.isfinite().all()


def test_prompts_are_tuned_and_distilled_with(load, build, tmp_path):
    config = load(RECIPES[f'freekd_pspnet_r101_r18_{CROPS[0]}'])
    distiller = config.model.distiller
    prompts, log = step(load(RECIPES[Path(distiller.prompts).parent.name]), build)
    assert 0 < log['overlap'] <= 1
    assert prompts.prompts[0].prompt.grad.any()

    distiller.prompts = str(tmp_path / 'prompts.pth')
    torch.save(dict(state_dict=prompts.state_dict()), distiller.prompts)
    _, log = step(config, build)
    assert log['distill.loss_stage1'] > 0
    assert log['distill.loss_mse_stage1'] > 0


def test_recipes_of_a_method_differ_in_the_pair_only(load):
    first = {}
    for name, recipe in RECIPES.items():
        # A transformer has no ReLU at its maps.
        if name in STUDENTS and 'segformer' not in name:
            model = without_pair(load(recipe).model)
            model['distiller'].pop('prompts', None)
            method = name.partition('_')[0]
            assert model == first.setdefault(method, model), name
    assert first.keys() == {*METHODS}


def test_recipes_of_a_pair_differ_in_the_method_only(load):
    first = {}
    for name in STUDENTS:
        pair = name.partition('_')[2]
        given = without_method(load(RECIPES[name]))
        assert given == first.setdefault(pair, given), name
    assert len(first) == 8  # 3 pairs of Cityscapes in 2 crops, SegFormer, CamVid


@pytest.mark.parametrize('name', WITH_PROMPTS)
def test_the_prompts_are_those_of_the_teacher(name, load):
    config = load(RECIPES[name])
    file = Path(config.model.distiller.prompts)
    prompts = load(RECIPES[file.parent.name])
    assert file.name == f'iter_{prompts.train_cfg.max_iters}.pth'
    assert prompts.model.teacher == config.model.teacher
    assert prompts.model.teacher_ckpt == config.model.teacher_ckpt
    assert prompts.model.source == config.model.distiller.stages[0]


@pytest.mark.parametrize('name', ['pspnet_r101', 'deeplabv3_r101', 'segformer_mit-b3'])
def test_teachers_are_the_published_ones(name, load):
    teacher = load(f'_base_/teachers/{name}.py').teacher
    path = teacher.teacher.cfg_path.removeprefix('mmseg::')
    folder = Path(get_installed_path('mmseg'), '.mim/configs', path).parent
    models = mmengine.load(folder / 'metafile.yaml')['Models']
    weights = {entry['Name']: entry.get('Weights') for entry in models}
    published = weights[Path(path).stem].rpartition('/')[2]
    assert teacher.teacher_ckpt.rpartition('/')[2] == published


@pytest.mark.parametrize('name', [name for name in RECIPES if '40k' in name])
def test_protocol_is_the_one_in_the_name(name, load):
    config = load(RECIPES[name])
    protocol, crop = name.rsplit('_', 2)[1:]
    gpus, batch, thousands = re.fullmatch(r'(\d)xb(\d)-(\d+)k', protocol).groups()
    height, width = map(int, crop.removeprefix('cityscapes-').split('x'))
    loader = config.train_dataloader
    assert int(gpus) * loader.batch_size == 16 == config.auto_scale_lr.base_batch_size
    assert loader.batch_size == int(batch)
    assert config.train_cfg.max_iters == config.param_scheduler[0].end == 40000
    assert int(thousands) == 40
    assert loader.dataset.pipeline[3].crop_size == (height, width)
    model = config.model
    student = (
        load(model.architecture.cfg_path.removeprefix('famkd::')).model
        if 'architecture' in model
        else model
    )
    assert student.data_preprocessor.size == (height, width)
    if 'input_shape' in model:
        assert model.input_shape == (3, height, width)


def test_both_crops_have_the_same_recipes():
    small, large = (
        {name.removesuffix(crop) for name in RECIPES if name.endswith(crop)}
        for crop in CROPS
    )
    assert small - large == {'famkd_segformer_mit-b3_pspnet_r18_'}
    assert large <= small
