"""A config in a checkpoint makes networks and transforms, and runs nothing."""

import pytest
from mmengine.fileio import dump, load
from mmengine.registry import TRANSFORMS, DefaultScope

import famkd.models  # noqa: F401
from famkd.apis import foreign_config
from famkd.apis.foreign_config import read_foreign_config
from famkd.models.algorithms.networks import build_network
from famkd.runtime import install
from famkd.runtime.safe_load import trust_checkpoints

# The config, and what is said of it.
REFUSED = [
    ("model = dict(type='os.system', command='touch TRACE')", "model.type='os.system'"),
    (
        "model = dict(type='A', backbone=[dict(type='subprocess.Popen')])",
        'model.backbone.0.type',
    ),
    ("model = dict(architecture=dict(cfg_path='a.py'))", 'a file, which would be run'),
    ("model = dict(cfg_path='mmpretrain::../../a.py')", 'a file, which would be run'),
    ("model = dict(cfg_path='mmpretrain::/tmp/a.py')", 'a file, which would be run'),
    ("model = dict(teacher_config='a.py')", 'a file, which would be run'),
    ("model = dict(warp_mode=b'open(1)')", "model.warp_mode=b'open(1)'"),
    ("model = dict(a=dict(func_path='this.a'))", 'model.a.func_path'),
    ("model = dict(object_type=[('this.A', dict())])", 'be imported'),
    ("model = dict(skipped_methods=['torch.nn.A.f', 'this.A.f'])", 'be imported'),
    ("model = dict(type='HuggingFaceClassifier', trust_remote_code=True)", 'model zoo'),
    ("model = dict(heads={'a\\'] or open(1)': dict(type='A')})", 'with a quote'),
    ("test_dataloader = dict(dataset=dict(a='OpenImagesChallengeDataset'))", 'pickle'),
    ("test_pipeline = [dict(decode_backend='pickle')]", 'pickle'),
    (
        "model = dict(test_cfg=dict(nms=dict(type='open(1)')))",
        'model.test_cfg.nms.type',
    ),
    (
        "test_dataloader = dict(pipeline=[dict(dtype='float + open(1)')])",
        'test_dataloader.pipeline.0.dtype',
    ),
]


class Mine:
    """A class that no registry has, such as one of a notebook."""


@pytest.mark.parametrize('text, message', REFUSED)
def test_what_would_run(text, message):
    with pytest.raises(ValueError, match='--trust-checkpoint') as error:
        read_foreign_config(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    'name',
    [
        'os.system',
        'mmdet.os.system',
        'this',
        'mmengine.config.Config.fromfile',
        'mmpretrain.get_model',
        'mmengine.dataset.base_dataset.pickle.Unpickler',
        'mmengine.runner.Runner',
        'torch.nn.functional.torch.load',
        'torch.nn.DataParallel',
    ],
)
def test_only_parts_are_found_by_any_option(name):
    # A name that a transform hands on.
    resize = dict(type='RandomChoiceResize', scales=[2], resize_type=name)
    config = read_foreign_config(f'test_pipeline = [{resize}]')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        with pytest.raises(KeyError, match='is not in the'):
            TRANSFORMS.build(config.test_pipeline[0])


def test_names_of_others_are_found_as_before():
    read_foreign_config('model = dict()')
    name = f'{__name__}.Mine'
    assert type(TRANSFORMS.build(dict(type=name))) is Mine


@pytest.mark.parametrize('text', ['a = [({}, 1)]', 'a = dict({{{}: 1}})', 'a = {{{}}}'])
def test_names_in_a_checkpoint_are_not_wherever_they_stand(text, monkeypatch):
    monkeypatch.setattr(foreign_config, '_strings', set())
    name = f'{__name__}.Mine'
    read_foreign_config(text.format(repr(name)))
    with pytest.raises(KeyError, match='is not in the'):
        TRANSFORMS.build(dict(type=name))


def test_networks_are_built():
    text = """
model = dict(
    type='mmpretrain.models.ImageClassifier',
    backbone=dict(type='mmpretrain.models.backbones.resnet_cifar.ResNet_CIFAR',
                  depth=18),
    act_cfg=dict(type='torch.nn.modules.activation.ReLU'))
custom_hooks = [dict(type='mine.hooks.MyHook')]
"""
    config = read_foreign_config(text)
    config.model.pop('act_cfg')
    build_network(config.model)
    read_foreign_config("model = dict(cfg_path='famkd::demo/resnet8_digits.py')")
    read_foreign_config("model = dict(func_path='mmdet.a.f', trust_remote_code=False)")
    layer = "dict(type='torch.nn.Conv2d', in_channels=3, out_channels=4, kernel_size=1)"
    text = f"model = dict(type='mmpretrain.ImageClassifier', backbone={layer})"
    build_network(read_foreign_config(text).model)


@pytest.mark.parametrize(
    'name, text', [('a.pkl', None), ('a.yml', '!!python/object/apply:os.getcwd []')]
)
def test_files_that_would_run_are_not_loaded(name, text, tmp_path, request):
    install()
    file = tmp_path / name
    file.write_text(text) if text else dump([tmp_path], str(file))
    with pytest.raises(Exception, match='is refused|could not determine') as error:
        load(str(file))
    assert type(error.value).__name__ in ('ValueError', 'ConstructorError')
    request.addfinalizer(lambda: trust_checkpoints(False))
    trust_checkpoints()
    assert load(str(file))


def test_plain_yaml_is_loaded(tmp_path):
    install()
    dump(dict(a=[1]), str(tmp_path / 'a.yaml'))
    assert load(str(tmp_path / 'a.yaml')) == dict(a=[1])
