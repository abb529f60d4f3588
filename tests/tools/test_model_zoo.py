"""The model zoo: it is what the script writes, and MMEngine finds recipes by it."""

import importlib.util
from pathlib import Path

import pytest
import yaml
from mmengine.hub import get_config

import famkd.registry  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def zoo():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location(
        'model_zoo', ROOT / 'tools/dev/model_zoo.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def written(zoo):
    return zoo.model_zoo()


def test_it_is_up_to_date(written):
    for name, content in written.items():
        path = ROOT / name
        is_same = path.is_file() and path.read_text(encoding='utf-8') == content
        assert is_same, f'{name} is stale: run python tools/dev/model_zoo.py'


def test_every_recipe_stands_in_one_metafile(written):
    models = [
        model
        for name in yaml.safe_load(written['model-index.yml'])['Import']
        for model in yaml.safe_load(written[name])['Models']
    ]
    configs = [model['Config'] for model in models]
    there = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob('configs/**/*.py')
        if not {'_base_', 'demo'} & {*path.parts}
    }
    assert len(configs) == len(set(configs))
    assert set(configs) == there


def test_results_are_of_recipes(zoo):
    stems = {path.stem for path in ROOT.glob('configs/**/*.py')}
    measured = zoo.read_measured()
    assert {recipe for recipe, _ in measured} <= stems
    page = zoo.model_zoo()['configs/famkd/README.md']
    assert '| 59.83 ± 1.19  | 80x80 from random weights; 3 runs ' in page
    assert '| 74.45 (1) |' in page


def test_mmengine_finds_a_recipe_in_the_zoo():
    cfg = get_config('famkd::famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py')
    assert cfg.model.type == 'mmrazor.FeatureDistill'


def test_name_without_a_data_set(zoo):
    with pytest.raises(ValueError, match="the last part of its name, 'imagenet', is"):
        zoo.read_entry(Path('mine/kd_a_b_8xb32_imagenet.py'), {})
