"""Every recipe is a method and a pair, and each of these trains, on random images."""

import math
from functools import cache
from pathlib import Path

import pytest
import tiny_images  # noqa: F401
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.utils import get_installed_path

CONFIGS = Path(__file__).parents[2] / 'configs'
# A recipe of each method, of each data set and schedule: these see the runner.
METHODS = {
    'at': 'scene15/at_resnet18-w32_resnet18-w16_1xb32_scene15.py',
    'band-split': 'band_split/cifar100/band-split_resnet56_resnet20_1xb64_cifar100.py',
    'dct': 'dct/cifar100/dct_resnet56_resnet20_1xb128_cifar100.py',
    'dct-kd': 'scene15/dct-kd_resnet18-w32_resnet18-w16_1xb32_scene15.py',
    'dct-real-dft': 'scene15/dct-real-dft_resnet18-w32_resnet18-w16_1xb32_scene15.py',
    'fam-reviewkd': 'cifar10/fam-reviewkd_resnet20_resnet8_1xb64_cifar10.py',
    'famkd': 'famkd/imagenet/famkd_resnet34_resnet18_8xb32_in1k.py',
    'famkd-kd': 'famkd_kd/cifar100/famkd-kd_resnet56_resnet20_1xb64_cifar100.py',
    'famkd-l2l': 'famkd_l2l/cifar100/famkd-l2l_wrn-40-2_wrn-40-1_1xb64_cifar100.py',
    'kd': 'kd/cifar100/kd_resnet56_resnet20_1xb64_cifar100.py',
    'pkt': 'scene15/pkt_resnet18-w32_resnet18-w16_1xb32_scene15.py',
    'reviewkd': 'reviewkd/cifar100/reviewkd_resnet56_resnet20_1xb64_cifar100.py',
    'spectral-kd': (
        'spectral_kd/cifar100/spectral-kd_resnet56_resnet20_1xb64_cifar100.py'
    ),
}
RECIPES = sorted(
    str(path.relative_to(CONFIGS))
    for path in CONFIGS.rglob('*.py')
    if '_base_' not in path.parts
)
VANILLA = [
    recipe
    for recipe in RECIPES
    # Networks of the other scene data sets differ in the number of classes.
    if recipe.startswith('vanilla')
    and not {'coco', 'cityscapes', 'sun397', 'ade20k'} & {*recipe.split('/')}
]
ABLATIONS = [r for r in RECIPES if r.startswith('ablations') and 'resnet8x4' in r]


def method_of(recipe):
    """The method that a recipe is named after, or None."""
    name = Path(recipe).name
    found = [method for method in METHODS if name.startswith(f'{method}_')]
    own = {'ablations', 'foundation'} & {*Path(recipe).parts}  # tests of their own
    return max(found, key=len) if found and not own else None


# Those of segmentors are in test_segmentation_configs.py.
DISTILLATIONS = [
    r
    for r in RECIPES
    if method_of(r) and not {'demo', 'cityscapes', 'camvid'} & {*Path(r).parts}
]
TRANSFORMERS = [r for r in DISTILLATIONS if 'deit' in r or 'swin' in r]
PAIRS = sorted(
    f'{path.parent.name}/{path.stem}'
    for folder in ('cifar100', 'imagenet')
    for path in (CONFIGS / '_base_/pairs' / folder).glob('*.py')
    if '-relu' not in path.stem
)
CONVOLUTIONS = [pair for pair in PAIRS if 'deit' not in pair and 'swin' not in pair]
# Sizes of images, and those here: filters and maps are a quarter or less.
SMALLER = {32: 16, 80: 40, 96: 44, 224: 32, 256: 36}


def shrink(config):
    """Two batches of two small random images, and no checkpoint of a teacher."""
    for dataloader in (config.train_dataloader, config.val_dataloader):
        pipeline = [
            step
            for step in dataloader.dataset.pipeline
            if not step['type'].endswith('LoadImageFromFile')  # they are in memory
        ]
        for step in pipeline:
            for key in {'scale', 'crop_size'} & set(step):
                step[key] = SMALLER[step[key]]
        dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
        dataloader.dataset = dict(
            type='TinyImages', length=4, size=16, num_classes=2, pipeline=pipeline
        )
    config.val_dataloader.dataset.length = 2
    if 'teacher' in config.model:
        shrink_model(config.model, SMALLER[config.model.input_shape[1]])
    config.train_cfg.max_epochs = 1
    config.default_hooks.checkpoint = None
    config.default_hooks.logger.interval = 1
    config.visualizer.vis_backends = []
    config.log_level = 'ERROR'


def shrink_model(model, height):
    """Small images, and no checkpoint of a teacher."""
    model.update(
        teacher_ckpt=None,
        allow_random_teacher=True,
        input_shape=(3, height, height),
    )


def assert_all_get_gradients(model):
    """As DistributedDataParallel wants it: it waits for every gradient."""
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None or not parameter.requires_grad, name


@pytest.fixture(scope='module')
def network():
    """Function (model, role): one of its networks; each is built once for a role."""
    from famkd.models.algorithms.networks import build_network

    @cache
    def build(role, path):
        return build_network(dict(cfg_path=path))

    def network(model, role):
        if len(model[role]) == 1:
            return build(role, model[role].cfg_path)
        return build_network(model[role])

    return network


def batch(size):
    """Two random images of a size, with labels."""
    from mmpretrain.structures import DataSample

    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    return images, [DataSample().set_gt_label(label) for label in (0, 1)]


def distil(config, build, network):
    """The model of a recipe, and the losses of a batch as they are logged."""
    # Where the last map of an ImageNet network, or of one for CIFAR, is 1x1.
    size = 32 if config.model.input_shape[1] == 224 else 8
    shrink_model(config.model, size)
    networks = {
        role: network(config.model, role) for role in ('architecture', 'teacher')
    }
    model = build({**config.model.to_dict(), **networks}).train()
    total, log = model.parse_losses(model(*batch(size), mode='loss'))
    assert all(value.isfinite() for value in log.values()), log
    return model, total, log


@pytest.mark.parametrize('recipe', METHODS.values(), ids=METHODS)
def test_method_trains(recipe, load, tmp_path):
    config = load(recipe)
    shrink(config)
    config.work_dir = str(tmp_path)
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
    log = runner.message_hub.log_scalars
    losses = {name: log[name].data[0] for name in log if 'loss' in name}
    assert 'train/loss' in losses
    for name, values in losses.items():
        assert all(math.isfinite(value) for value in values), name
    assert any(name.startswith('train/distill.loss') for name in losses)
    assert 'val/accuracy/top1' in log

    model = runner.model.train()
    data = model.data_preprocessor(next(iter(runner.train_dataloader)), True)
    model.parse_losses(model(**data, mode='loss'))[0].backward()
    assert_all_get_gradients(model)


@pytest.mark.parametrize('pair', CONVOLUTIONS)
def test_stages_of_pair_fit_its_networks(pair, load, build, network):
    dataset, name = pair.split('/')
    setting = '8xb32_in1k' if dataset == 'imagenet' else f'1xb64_{dataset}'
    file = f'{dataset}/{{}}_{name}_{setting}.py'
    famkd, reviewkd = (
        load(f'{method}/{file.format(method)}') for method in ('famkd', 'reviewkd')
    )
    model, total, log = distil(famkd, build, network)
    model.zero_grad()
    total.backward()
    assert_all_get_gradients(model)
    stages = [key for key in log if key.startswith('distill.loss_stage')]
    assert len(stages) == len(famkd.model.distiller.student_stages)
    with torch.no_grad():
        assert distil(reviewkd, build, network)[2].keys() == log.keys()


@pytest.mark.parametrize('recipe', TRANSFORMERS)
def test_blocks_of_transformers_are_compared(recipe, load, build, network):
    config = load(recipe)
    if 'swin' in recipe:  # its windows of 7x7 want images of 224x224
        for role in ('architecture', 'teacher'):
            config.merge_from_dict({f'model.{role}.backbone.window_size': 1})
    model, _, log = distil(config, build, network)
    stages = range(1, 1 + len(model.distiller.student_stages))
    assert all(log[f'distill.loss_stage{i}'] > 0 for i in stages)
    assert log['distill.loss_logits'] > 0
    # As mmpretrain trains the student alone: the runner's preprocessor is the one used.
    student = Config.fromstring(
        f'_base_ = [{config.model.architecture.cfg_path!r}]', '.py'
    )
    assert config.data_preprocessor.batch_augments == student.model.train_cfg


@pytest.mark.parametrize('recipe', ABLATIONS)
def test_ablation_trains(recipe, load, build, network):
    model, total, _ = distil(load(recipe), build, network)
    model.zero_grad()
    total.backward()
    assert_all_get_gradients(model)


@pytest.mark.parametrize('recipe', VANILLA)
def test_network_alone_takes_its_images(recipe, network):
    model = dict(architecture=Config(dict(cfg_path=str(CONFIGS / recipe))))
    student = network(Config(model), 'architecture')
    losses = student(*batch(32 if 'imagenet' in recipe else 16), mode='loss')
    assert losses['loss'].isfinite()


def without_pair(model):
    """What a method gives to a model."""
    model = model.to_dict()
    for key in ('teacher', 'teacher_ckpt', 'input_shape'):
        model.pop(key)
    for key in ('cfg_path', 'backbone'):
        model['architecture'].pop(key, None)
    distiller = model['distiller']
    # Guidance is on where the teacher is often wrong: on scenes.
    for key in ('stages', 'student_stages', 'teacher_stages', 'guided'):
        distiller.pop(key, None)
    for loss in (
        distiller.get('loss', {}),
        *distiller.get('distill_losses', {}).values(),
    ):
        loss.pop('loss_weight', None)
    distiller.get('logit_loss', {}).pop('tau', None)
    return model


def without_method(config):
    """What a pair gives to a config."""
    keys = ['train_dataloader', 'val_dataloader', 'optim_wrapper', 'param_scheduler']
    networks = [config.model[role].cfg_path for role in ('architecture', 'teacher')]
    return (
        networks,
        config.model.teacher_ckpt,
        config.train_cfg,
        [config[key] for key in keys],
    )


def test_recipes_of_a_method_differ_in_the_pair_only(load):
    first = {}
    for recipe in DISTILLATIONS:
        model = without_pair(load(recipe).model)
        # On the outputs of an FPN, FAM-KD has another head.
        key = method_of(recipe), Path(recipe).parent.name in ('coco', 'bccd')
        assert model == first.setdefault(key, model), recipe


def test_recipes_of_a_pair_differ_in_the_method_only(load):
    first = {}
    for recipe in DISTILLATIONS:
        method, dataset, name = method_of(recipe), *Path(recipe).parts[-2:]
        pair = name.removeprefix(f'{method}_')
        given = without_method(load(recipe))
        assert given == first.setdefault((dataset, pair), given), recipe
        if dataset == 'cifar100':
            student, teacher = (Path(path).stem for path in given[0])
            teacher, student = (
                x.removesuffix('_1xb64_cifar100') for x in (teacher, student)
            )
            assert name.startswith(f'{method}_{teacher}_{student}_1xb')


def test_ablations_change_the_distiller_only(load):
    for recipe in RECIPES:
        if recipe.startswith('ablations'):
            folder = Path(recipe).parent.name
            folder = {'cifar100': 'famkd/cifar100'}.get(folder, folder)
            pair = 'resnet' + recipe.split('_resnet', 1)[1]
            ablation, whole = load(recipe), load(f'{folder}/famkd_{pair}')
            assert without_method(ablation) == without_method(whole)
            assert ablation.model.distiller != whole.model.distiller


def test_teachers_trained_here_are_where_their_config_leaves_them(load):
    checked = []
    for recipe in RECIPES:
        model = load(recipe).get('model', {})
        checkpoint = model.get('teacher_ckpt') or ''
        if not checkpoint.startswith('work_dirs/'):
            continue
        teacher = model.teacher.cfg_path.removeprefix('famkd::')
        config = load(teacher)
        hook, loop = config.default_hooks.checkpoint, config.train_cfg
        by_epoch = 'max_epochs' in loop
        last = loop.max_epochs if by_epoch else loop.max_iters
        name = f'epoch_{last}' if by_epoch else f'iter_{last}'
        assert checkpoint == f'work_dirs/{Path(teacher).stem}/{name}.pth', recipe
        # The hook counts as the loop does, and keeps the last.
        assert hook.get('by_epoch', True) == by_epoch, recipe
        assert hook.get('save_last', True) or last % hook.interval == 0, recipe
        assert 'filename_tmpl' not in hook and 'out_dir' not in hook, recipe
        checked.append(recipe)
    assert 'demo/famkd_resnet20_resnet8_digits.py' in checked


def test_teachers_of_imagenet_are_the_published_ones(load):
    import mmengine

    for pair in PAIRS:
        if not pair.startswith('imagenet'):
            continue
        given = load(f'_base_/pairs/{pair}.py').pair
        path = given.teacher.cfg_path.removeprefix('mmpretrain::')
        folder = Path(get_installed_path('mmpretrain'), '.mim/configs', path).parent
        models = mmengine.load(folder / 'metafile.yml')['Models']
        published = {
            m['Weights'].rpartition('/')[2]
            for m in models
            if Path(m['Config']).name == Path(path).name
        }
        assert given.teacher_ckpt.rpartition('/')[2] in published
