"""Paths in a recipe are taken from its folder first, then from the current one."""

import pytest
from mmengine.config import Config

from famkd.apis.paths import resolve_paths


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The folder of a recipe and the current one, with a file of each name in them."""
    recipes, current = tmp_path / 'recipes', tmp_path / 'current'
    for folder, names in ((recipes, ['a.py', 'both.py']), (current, ['b', 'both.py'])):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    monkeypatch.chdir(current)
    return recipes, current


def resolved(places, **model):
    resolve_paths(model, places[0] / 'recipe.py')
    return model


def test_files_beside_the_recipe_and_in_the_current_folder(places):
    recipes, current = places
    model = resolved(
        places,
        architecture=dict(cfg_path='a.py'),
        teacher=dict(cfg_path='both.py'),
        teacher_ckpt='b',
    )
    assert model['architecture']['cfg_path'] == str(recipes / 'a.py')
    assert model['teacher']['cfg_path'] == str(recipes / 'both.py')
    assert model['teacher_ckpt'] == str(current / 'b')
    model = resolved(places, distiller=dict(prompts='b'))
    assert model['distiller']['prompts'] == str(current / 'b')


def test_what_is_no_plain_path_stays(places):
    model = dict(
        architecture=dict(cfg_path='famkd::demo/resnet8_digits.py'),
        teacher=dict(type='Net'),
        teacher_ckpt='https://x.y/z.pth',
    )
    assert resolved(places, **model) == model
    assert resolved(places, type='Net', backbone={}) == dict(type='Net', backbone={})
    assert resolved(places, teacher_ckpt=None) == dict(teacher_ckpt=None)


@pytest.mark.parametrize(
    'key', ['architecture.cfg_path', 'teacher_ckpt', 'distiller.prompts']
)
def test_file_in_neither_place(key, places):
    holder, _, inner = key.partition('.')
    model = {holder: {inner: 'gone.py'} if inner else 'gone.py'}
    with pytest.raises(FileNotFoundError) as error:
        resolved(places, **model)
    message = str(error.value)
    assert message.startswith(f"model.{key}='gone.py' in ")
    for part in ('recipe.py', *(str(folder / 'gone.py') for folder in places)):
        assert part in message


def test_config_that_its_package_does_not_have(places):
    message = "model.teacher.cfg_path in .*recipe.py: no .* has 'famkd::demo/gone.py'"
    with pytest.raises(FileNotFoundError, match=message):
        resolved(places, teacher=dict(cfg_path='famkd::demo/gone.py'))


def test_base_of_another_folder_names_a_file_beside_it(places):
    recipes, current = places
    pair = "pair = dict(teacher=dict(cfg_path='{{ fileDirname }}/a.py'))"
    (recipes / 'pair.py').write_text(pair)
    recipe = current / 'recipe.py'
    recipe.write_text(f"_base_ = '{recipes}/pair.py'\nmodel = dict(**_base_.pair)")
    model = Config.fromfile(recipe).model
    resolve_paths(model, recipe)
    assert model.teacher.cfg_path == str(recipes / 'a.py')
    with pytest.raises(FileNotFoundError, match='{{ fileDirname }}/NAME.py'):
        resolved(places, teacher=dict(cfg_path='gone.py'))
