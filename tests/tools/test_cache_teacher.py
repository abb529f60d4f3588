"""Features of a teacher on disk: written once, and read by a training."""

import json

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from famkd.models.algorithms import feature_cache


@pytest.fixture
def recipe(make_config, tmp_path):
    """Function (**changes): file of a distillation on 12 images."""

    def recipe(**changes):
        config = make_config(**changes)
        config.custom_imports = dict(imports=['tiny_images'])
        config.dump(tmp_path / 'recipe.py')
        return str(tmp_path / 'recipe.py')

    return recipe


@pytest.fixture
def cache(tool, recipe, tmp_path):
    """Function (*arguments, **changes): folder of the features of that recipe."""

    def cache(*arguments, **changes):
        out = str(tmp_path / 'features')
        tool('cache_teacher').main([recipe(**changes), '--out', out, *arguments])
        return out

    return cache


def step_losses(runner):
    """Losses of the first batch of a training."""
    model = runner.model.train()
    data = next(iter(runner.train_dataloader))
    data = model.data_preprocessor(data, True)
    return model(**data, mode='loss')


def test_training_reads_what_the_teacher_would_give(
    cache, recipe, make_config, capsys, tmp_path
):
    out = cache()
    text = capsys.readouterr().out
    # 12 x 16 x 16, 24 x 8 x 8, 48 x 4 x 4 and 48 values of two bytes.
    assert '0.011 GB per 1,000 images, 0.000 GB for 12; ' in text
    runner = Runner.from_cfg(make_config(**{'model.feature_cache': out}))
    live = Runner.from_cfg(make_config())
    live.model.load_state_dict(runner.model.state_dict())
    runner.model.teacher.forward = None  # it is not needed any more
    torch.manual_seed(0)
    cached = step_losses(runner)
    torch.manual_seed(0)
    for name, value in step_losses(live).items():
        torch.testing.assert_close(cached[name], value, rtol=0.02, atol=0.02)
    assert not list(tmp_path.glob('*.part'))
    cache()
    assert 'has the features already' in capsys.readouterr().out
    (tmp_path / 'features/stage1').write_bytes(b'')
    with pytest.raises(SystemExit):
        cache()
    assert 'stage1 has 0 bytes' in capsys.readouterr().err


def test_class_scores_are_kept(cache, make_config):
    kd = {'model.distiller.logit_loss': dict(type='KLDivergence', tau=4)}
    out = cache(**kd)
    runner = Runner.from_cfg(make_config(**kd, **{'model.feature_cache': out}))
    assert step_losses(runner)['distill.loss_logits'] > 0


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'model.teacher_options': dict(dtype='bfloat16')},
            'is of another precision: None, here torch.bfloat16',
        ),
        ({'model.distiller.teacher_stages': ['neck'] * 4}, 'is of another stages'),
        ({'model.teacher_ckpt': None}, 'is of another teacher'),
    ],
    ids=['precision', 'stages', 'teacher'],
)
def test_a_cache_of_something_else(changes, message, cache, make_config, build):
    config = make_config(**{'model.feature_cache': cache(), **changes})
    preprocessor = config.data_preprocessor
    with pytest.raises(ValueError, match=message):
        build({**config.model, 'data_preprocessor': preprocessor})


def test_no_cache(distillation, build):
    with pytest.raises(FileNotFoundError, match='there are no features; write them wi'):
        build({**distillation(), 'feature_cache': 'nowhere'})


@pytest.mark.parametrize('change', ['pipeline', 'image'])
def test_other_images_than_those_of_the_cache(change, cache, make_config):
    out = cache()
    changes, message = {}, r'has no features of 1\d'
    if change == 'pipeline':
        changes['train_dataloader.dataset.pipeline'] = [
            dict(type='RandomFlip', prob=1.0),
            dict(type='PackInputs'),
        ]
        message = 'is not the image that the features are of: the pipeline is another'
    else:
        changes['train_dataloader.dataset.length'] = 20
    runner = Runner.from_cfg(make_config(**changes, **{'model.feature_cache': out}))
    with pytest.raises(ValueError, match=message):
        runner.train()


@pytest.mark.parametrize(
    ('step', 'name'),
    [
        (dict(type='RandomFlip', prob=0.5), 'RandomFlip'),
        (
            dict(
                type='RandomApply',
                prob=0.5,
                transforms=[dict(type='ColorJitter', brightness=0.5)],
            ),
            'RandomApply, ColorJitter',
        ),
    ],
)
def test_random_augmentation_is_refused(step, name, cache, capsys):
    pipeline = [step, dict(type='PackInputs')]
    with pytest.raises(SystemExit):
        cache(**{'train_dataloader.dataset.pipeline': pipeline})
    assert f'changes images at random ({name})' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        (
            'model.architecture.train_cfg',
            dict(augments=[dict(type='Mixup', alpha=0.8)]),
            'changes images at random (batch_augments)',
        ),
        ('model.teacher_ckpt', '/nowhere.pth', "'/nowhere.pth': no such file"),
        ('train_dataloader.batch_size', 0, 'train_dataloader.batch_size=0 must be'),
    ],
)
def test_what_is_refused_before_it_starts(key, value, message, cache, capsys):
    with pytest.raises(SystemExit):
        cache(**{key: value})
    assert message in capsys.readouterr().err


def test_randomness_that_nobody_declares_is_seen(tool, cache, capsys, monkeypatch):
    monkeypatch.setattr(tool('cache_teacher'), 'random_transforms', lambda cfg: [])
    pipeline = [dict(type='RandomCrop', crop_size=8), dict(type='PackInputs')]
    with pytest.raises(SystemExit):
        cache(**{'train_dataloader.dataset.pipeline': pipeline})
    assert 'an image differs when it is loaded again' in capsys.readouterr().err


def test_a_disk_too_small_is_said_before(tool, cache, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(tool('cache_teacher'), 'free_gigabytes', lambda path: 1e-6)
    with pytest.raises(SystemExit):
        cache()
    message = capsys.readouterr().err
    assert 'needs 0.000 GB, but its disk has 0.000 GB left; name a folder' in message
    assert not list(tmp_path.glob('features*'))


def test_a_folder_with_other_files_is_refused_before(cache, tmp_path, capsys):
    (tmp_path / 'features').mkdir()
    (tmp_path / 'features/notes.txt').touch()
    with pytest.raises(SystemExit):
        cache()
    assert 'has other files; name a new folder' in capsys.readouterr().err


def test_a_model_without_a_teacher(tool, tmp_path, capsys):
    path = tmp_path / 'alone.py'
    Config(dict(model=dict(type='ImageClassifier'))).dump(path)
    with pytest.raises(SystemExit):
        tool('cache_teacher').main([str(path)])
    assert 'the model has no teacher' in capsys.readouterr().err


def test_features_of_other_recorders_are_not_kept(build, distillation):
    recorder = dict(type='ModuleOutputs', source='backbone.conv1', _scope_='mmrazor')
    model = build(distillation(teacher_recorders=dict(extra=recorder)))
    with pytest.raises(ValueError, match='teacher_recorders has extra, of which no'):
        model.teacher_features(torch.zeros(1, 3, 16, 16))


def test_features_that_are_not_finite_are_not_kept(build, distillation):
    with pytest.raises(FloatingPointError, match='backbone.layer1 gives'):
        build(distillation()).teacher_features(torch.full((1, 3, 16, 16), torch.inf))


def test_images_of_one_name_and_of_other_shapes(tmp_path):
    def batches(names, sizes):
        for name, size in zip(names, sizes, strict=True):
            yield [name], torch.zeros(1, 3, 4, 4), dict(a=torch.zeros(1, 2, size, 1))

    for names, sizes, message in (
        ('aa', (1, 1), 'two images have the name a'),
        ('ab', (1, 2), r'\(2, 2, 1\) for b, but \(2, 1, 1\) before'),
    ):
        with pytest.raises(ValueError, match=message):
            feature_cache.write_features(
                tmp_path / 'cache', {}, 2, batches(names, sizes)
            )
    assert not (tmp_path / 'cache').exists()


def test_images_are_known_in_mixed_precision():
    images = torch.randn(500, 3, 8, 8)
    expected = feature_cache.image_sums(images)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(feature_cache.image_sums(images), expected)


def test_a_changed_image_is_as_far_off_at_every_size():
    for size in (8, 256):
        assert 0.5 < feature_cache.image_sums(torch.randn(20, 3, size, size)).std() < 2


def test_what_a_killed_run_has_left_is_no_part_of_the_cache(tmp_path, monkeypatch):
    part = tmp_path / 'cache.part'
    part.mkdir()
    for name in ('a', 'b'):
        (part / name).write_bytes(b'x' * 99)
    flushed = []
    monkeypatch.setattr(feature_cache.os, 'fsync', lambda file: flushed.append(file))
    batches = iter([(['x'], torch.zeros(1, 3, 4, 4), dict(a=torch.ones(1, 2)))])
    feature_cache.write_features(f'{tmp_path}/cache/', {}, 1, batches)
    assert {file.name for file in tmp_path.glob('*/*')} == {'a', 'features.json'}
    assert len(flushed) == 2
    cache = feature_cache.FeatureCache(tmp_path / 'cache', {})
    assert cache.read(torch.zeros(1, 3, 4, 4), [dict(img_path='x')])['a'].sum() == 2
    with pytest.raises(ValueError, match='holds a of the teacher, but no b; remove'):
        feature_cache.FeatureCache(tmp_path / 'cache', {}, ['a', 'b'])


def test_features_survive_a_round_trip_in_bfloat16(tmp_path):
    features = dict(a=torch.randn(3, 2, 4, 4), b=torch.randn(3, 5))
    images = torch.randn(3, 3, 8, 8)
    batches = iter([(['x', 'y', 'z'], images, features)])
    feature_cache.write_features(tmp_path / 'cache', dict(a=(1, 2)), 3, batches)
    note = json.loads((tmp_path / 'cache/features.json').read_text())
    assert note['shapes'] == dict(a=[2, 4, 4], b=[5])
    cache = feature_cache.FeatureCache(tmp_path / 'cache', dict(a=(1, 2)))

    class Sample(dict):
        pass

    samples = [Sample(img_path='z'), Sample(sample_idx='x')]
    found = cache.read(images[[2, 0]], samples)
    for name, values in features.items():
        expected = values[[2, 0]].bfloat16().float()
        assert torch.equal(found[name], expected), name
    with pytest.raises(ValueError, match='add img_path to meta_keys'):
        cache.read(images[:1], [Sample()])


def with_note(**changes):
    """A change of ``features.json``; one of ``images`` is that of the first image."""

    def change(folder):
        file = folder / 'features.json'
        note = json.loads(file.read_text())
        if 'images' in changes:
            changes['images'] = {**note['images'], 'x': changes['images']}
        file.write_text(json.dumps({**note, **changes}))

    return change


def with_file(name, content):
    """A change of a file; no content removes it."""

    def change(folder):
        (folder / name).write_bytes(content or b'')
        if content is None:
            (folder / name).unlink()

    return change


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (with_file('features.json', b'{"key'), 'JSONDecodeError'),
        (with_file('features.json', b'\xff'), 'UnicodeDecodeError'),
        (with_file('features.json', b'[1]'), 'TypeError'),
        (with_file('features.json', b'{"key": {}}'), "KeyError: 'shapes'"),
        (with_note(shapes='a'), 'shapes is no dict'),
        (with_note(shapes={'a': [-2, -2]}), r'shapes.a is \[-2, -2\], no list of'),
        (with_note(shapes={'a': ['2']}), r"shapes.a is \['2'\], no list of"),
        (with_note(shapes={'../a': [2]}), "'../a' is no name of a file"),
        (with_note(images=[2, 0.0]), 'row 2 of x is none of 2'),
        (with_note(images=[-1, 0.0]), 'row -1 of x is none of 2'),
        (with_note(images=[1, 0.0]), 'two images have one row'),
        (with_note(images=[0, float('nan')]), 'the sum nan of x is no number'),
        (with_note(images=[0]), 'not enough values'),
        (with_note(shapes={'a': [5]}), r'a has 16 bytes, for \[2, 5\] it needs 20'),
        (with_file('a', b'ab'), r'a has 2 bytes, for \[2, 4\] it needs 16'),
        (with_file('a', None), r'a has 0 bytes'),
        (with_file('a', b'\xff' * 16), 'features of y in .*a are not finite'),
    ],
)
def test_a_damaged_cache(change, message, tmp_path):
    images = torch.zeros(2, 3, 4, 4)
    batches = iter([(['x', 'y'], images, dict(a=torch.zeros(2, 4)))])
    feature_cache.write_features(tmp_path / 'cache', {}, 2, batches)
    change(tmp_path / 'cache')
    with pytest.raises(ValueError, match=f'cache.*{message}.*write it again'):
        cache = feature_cache.FeatureCache(tmp_path / 'cache', {})
        cache.read(images[1:], [dict(img_path='y')])
