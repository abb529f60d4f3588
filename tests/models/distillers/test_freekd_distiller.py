"""FreeKD's second stage: losses against the layers, files of prompts, bad input."""

import json

import pytest
import torch
from mmengine.logging import MMLogger

from famkd.layers import frequency_distance, frequency_masks
from famkd.models import FreeKDDistiller

STAGES = ['stage0', 'stage1', 'stage2']
SIZES = [(16, 24), (8, 12), (5, 3)]


def maps(channels, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(2, channels, *size, generator=generator) for size in SIZES]


@pytest.fixture
def pair():
    """Maps of the student with 4 channels and of the teacher with 8."""
    return [x.requires_grad_() for x in maps(4, 0)], maps(8, 1)


@pytest.fixture
def save(tmp_path):
    """Function (channels, levels, **note): file of random prompts of three maps."""

    def save(channels=(8, 8, 8), levels=3, **note):
        torch.manual_seed(2)
        weights = {
            f'prompts.{i}.prompt': torch.randn(levels + 1, 2, c)
            for i, c in enumerate(channels)
        }
        note = torch.tensor(list(json.dumps(note).encode())).byte()
        path = str(tmp_path / 'prompts.pth')
        torch.save(dict(state_dict={**weights, '_extra_state': note}), path)
        return path

    return save


def make(pair, prompts=None, stages=STAGES, **options):
    torch.manual_seed(0)
    distiller = FreeKDDistiller(prompts, stages=stages, **options)
    distiller.build(*pair)
    return distiller


@pytest.mark.parametrize('low_band', [True, False])
def test_the_loss_is_the_distance_of_the_aligned_maps(pair, save, low_band):
    students, teachers = pair
    distiller = make(pair, save(), relation=False, low_band=low_band, loss_weight=2.0)
    losses = distiller.stage_losses(*pair, targets=None)
    assert list(losses) == ['loss_stage1', 'loss_stage2', 'loss_stage3']
    for i, stage in enumerate(distiller.stages):
        masks = frequency_masks(teachers[i], stage.prompt)
        distance = frequency_distance(
            stage.align(students[i]), teachers[i], masks, low_band
        )
        torch.testing.assert_close(losses[f'loss_stage{i + 1}'], 2 * distance.mean())


def test_the_released_form_has_neither_low_band_nor_relation(pair, save):
    path = save()
    released = make(pair, path, released=True)
    by_hand = make(pair, path, low_band=False, relation=False)
    assert not hasattr(released.stages[0], 'student_relation')
    for first, second in zip(
        released.stage_losses(*pair, targets=None).values(),
        by_hand.stage_losses(*pair, targets=None).values(),
        strict=True,
    ):
        assert torch.equal(first, second)


def test_relation_weighs_channels_and_trains_its_gates(pair, save):
    path = save()
    weighted, plain = make(pair, path), make(pair, path, relation=False)
    for stage, other in zip(weighted.stages, plain.stages, strict=True):
        stage.align.load_state_dict(other.align.state_dict())
    losses = weighted.stage_losses(*pair, targets=None)
    for name, loss in plain.stage_losses(*pair, targets=None).items():
        assert losses[name] != loss
        torch.testing.assert_close(losses[name], loss, rtol=0.3, atol=0)
    sum(losses.values()).backward()
    for role in ('student_relation', 'teacher_relation'):
        gates = [getattr(stage, role).gate for stage in weighted.stages]
        assert any(gate[0].weight.grad.any() for gate in gates)


def test_mse_of_the_aligned_maps(pair, save):
    distiller = make(pair, save(), released=True, mse_weight=5.0)
    losses = distiller.stage_losses(*pair, targets=None)
    aligned = distiller.stages[1].align(pair[0][1])
    torch.testing.assert_close(
        losses['loss_mse_stage2'], 5 * (aligned - pair[1][1]).square().mean()
    )


def test_without_prompts_every_place_counts(pair):
    students, teachers = pair
    distiller = make(pair, relation=False)
    distance = frequency_distance(distiller.stages[0].align(students[0]), teachers[0])
    losses = distiller.stage_losses(*pair, targets=None)
    torch.testing.assert_close(losses['loss_stage1'], distance.mean())


def test_prompts_are_frozen_and_in_no_checkpoint(pair, save):
    distiller = make(pair, save(), relation=False)
    assert distiller.stages[0].prompt.shape == (4, 2, 8)
    assert set(dict(distiller.named_parameters())) == set(distiller.state_dict())
    assert not any('prompt' in name for name in distiller.state_dict())


def test_the_prompts_say_how_many_levels_there_are(pair, save):
    distiller = make(pair, save(levels=2))
    assert distiller.levels == 2
    distiller.stage_losses(*pair, targets=None)


def test_half_precision(pair, save):
    distiller = make(pair, save(), mse_weight=1.0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = distiller.stage_losses(*pair, targets=None)
    exact = distiller.stage_losses(*pair, targets=None)
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, exact[name], rtol=0.02, atol=0)


def test_one_map_relates_to_itself():
    pair = maps(4, 0)[:1], maps(8, 1)[:1]
    losses = make(pair, stages=STAGES[:1]).stage_losses(*pair, targets=None)
    assert losses['loss_stage1'].isfinite()


@pytest.mark.parametrize(
    ('file', 'options', 'message'),
    [
        (dict(channels=(8, 8)), {}, 'of 2 maps, but the teacher has 3 stages'),
        (dict(channels=(8, 6, 8)), {}, r'\[8, 6, 8\] channels, but .* \[8, 8, 8\]'),
        (dict(levels=2), dict(levels=3), r'levels=3, but .* have \[2\] levels'),
    ],
)
def test_prompts_of_other_maps(pair, save, file, options, message):
    with pytest.raises(ValueError, match=message):
        make(pair, save(**file), **options)


@pytest.mark.parametrize('levels', [0, -1, 2.5])
def test_levels_that_there_cannot_be(levels):
    with pytest.raises(ValueError, match=f'levels={levels} must be a whole number of'):
        FreeKDDistiller(None, stages=STAGES, levels=levels)


def test_a_student_with_another_number_of_maps():
    with pytest.raises(ValueError, match='student_stages has 2 .*teacher_stages 3'):
        FreeKDDistiller(None, student_stages=STAGES[:2], teacher_stages=STAGES)


def test_maps_of_other_sizes(pair):
    students, teachers = pair
    students[1] = torch.zeros(2, 4, 9, 12)
    with pytest.raises(ValueError, match=r"student_stages: 'stage1'.*\(9, 12\).*8, 12"):
        make((students, teachers))


def test_levels_that_cannot_be_related(pair):
    students, teachers = pair
    teachers[2] = torch.zeros(2, 16, 5, 3)
    with pytest.raises(ValueError, match=r'\[8, 8, 16\] channels; set relation=False'):
        make((students, teachers))
    make((students, teachers), relation=False)


@pytest.mark.parametrize(('other', 'warns'), [('aa', False), ('bb', True)])
def test_prompts_of_another_teacher_are_a_warning(save, caplog, other, warns):
    distiller = FreeKDDistiller(save(path='one.pth', hash='aa'), stages=STAGES)
    logger = MMLogger.get_instance('freekd')
    logger.addHandler(caplog.handler)
    distiller.check_teacher(dict(path='two.pth', hash=other))
    logger.removeHandler(caplog.handler)
    assert ("tuned on 'one.pth'" in caplog.text) == warns
    assert ("teacher is 'two.pth'" in caplog.text) == warns


def test_a_distillation_compares_its_teacher_with_that_of_the_prompts(
    distillation, build, save, tmp_path, monkeypatch
):
    config = distillation()
    torch.save(build(config['teacher']).state_dict(), tmp_path / 'two.pth')
    config['teacher_ckpt'] = str(tmp_path / 'two.pth')
    config['distiller'] = dict(
        type='FreeKDDistiller',
        prompts=save(channels=(12, 24, 48), path='one.pth', hash='aa'),
        stages=['backbone.layer1', 'backbone.layer2', 'backbone.layer3'],
        relation=False,
    )
    warnings = []
    monkeypatch.setattr(
        'famkd.models.distillers.freekd_distiller.print_log',
        lambda message, *_: warnings.append(message),
    )
    build(config)
    assert len(warnings) == 1
    assert 'one.pth' in warnings[0] and 'two.pth' in warnings[0]


@pytest.mark.parametrize('relation', [True, False])
def test_stages_are_named_from_shallow_to_deep(pair, save, relation):
    students, teachers = ([*reversed(maps)] for maps in pair)
    distiller = FreeKDDistiller(
        None if relation else save(), stages=STAGES, relation=relation
    )
    with pytest.raises(ValueError, match='name the stages from shallow'):
        distiller.build(students, teachers)
