"""Old names of recipes find the present ones."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

import famkd.registry  # noqa: F401
from famkd.models.algorithms.networks import read_config
from famkd.renamed import current_path, read_renamed

ROOT = Path(__file__).parents[1]
OLD = 'vanilla/imagenet/mobilenetv1_8xb32_imagenet.py'
WARNING = r'mobilenetv1_8xb32_imagenet.py is now mobilenetv1_8xb32_in1k.py; famkd 0.3'


def test_every_new_name_is_a_recipe_and_no_old_one_is():
    there = {path.stem for path in ROOT.glob('configs/**/*.py')}
    renamed = read_renamed()
    assert set(renamed.values()) <= there
    assert not set(renamed) & there


def test_old_name_after_famkd(tmp_path):
    recipe = tmp_path / 'mine.py'
    recipe.write_text(f'_base_ = "famkd::{OLD}"')
    with pytest.warns(FutureWarning, match=WARNING):
        based = Config.fromfile(recipe)
    with pytest.warns(FutureWarning, match=WARNING):
        read = get_config(f'famkd::{OLD}')
    assert based.model.backbone == read.model.backbone
    assert read.model.backbone.type == 'MobileNetV1'


def test_old_path():
    with pytest.warns(FutureWarning, match=WARNING):
        assert read_config(str(ROOT / 'configs' / OLD)).model.backbone


def test_names_that_were_never_there():
    assert current_path('configs/nowhere.py') == 'configs/nowhere.py'
    with pytest.raises(FileNotFoundError):
        get_config('famkd::vanilla/nowhere.py')
