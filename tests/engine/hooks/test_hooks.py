"""Warm-up and gammas in real trainings: what is logged, also after a resume."""

import json
import re
from pathlib import Path

import pytest

from famkd.engine import DistillWarmupHook

EPOCHS = dict(type='DistillWarmupHook', length=4, by_epoch=True)
ITERATIONS = dict(type='DistillWarmupHook', length=5, by_epoch=False)
GAMMAS = [dict(type='GammaLogHook')]
BY_ITERATIONS = dict(_delete_=True, by_epoch=False, max_iters=2)


@pytest.fixture
def train(make_runner, tmp_path):
    """Function (hook, epochs, ...): a training of 3 iterations an epoch, its log."""

    def train(hook, epochs, **changes):
        folder = tmp_path / f'until_{epochs}'
        runner = make_runner(
            **{
                # Trainings that start in the same second share a folder of logs.
                'visualizer': dict(
                    type='Visualizer',
                    vis_backends=[dict(type='LocalVisBackend')],
                    save_dir=str(folder),
                ),
                'train_cfg.max_epochs': epochs,
                'default_hooks': dict(logger=dict(type='LoggerHook', interval=1)),
                'custom_hooks': [hook, dict(type='GammaLogHook', interval=2)],
                **changes,
            }
        )
        runner.train()
        lines = (folder / 'vis_data/scalars.json').read_text().splitlines()
        return runner, [json.loads(line) for line in lines]

    return train


@pytest.mark.parametrize(
    ('hook', 'first', 'rest'),
    [
        (EPOCHS, [0.25] * 3 + [0.5] * 3, [0.75] * 3 + [1] * 6),
        (ITERATIONS, [0.2, 0.4, 0.6, 0.8, 1, 1], [1] * 9),
    ],
    ids=['epochs', 'iterations'],
)
def test_warm_up_goes_on_after_resume(hook, first, rest, train):
    _, log = train(hook, epochs=2)
    assert [line['distill_weight'] for line in log] == pytest.approx(first)
    runner, log = train(hook, epochs=5, resume=True)
    assert [line['distill_weight'] for line in log] == pytest.approx(rest)
    assert [line['step'] for line in log] == list(range(7, 16))
    assert runner.model.distill_weight == 1


def test_gammas_are_logged_with_the_losses(train):
    runner, log = train(ITERATIONS, epochs=1)
    names = [f'gamma{i}_stage{stage}' for i in (1, 2) for stage in range(1, 5)]
    assert names[0] not in log[0]  # read at every second iteration
    for line in log[1:]:
        assert set(names) < set(line)
        assert all(f'distill.loss_stage{stage}' in line for stage in range(1, 5))
        assert all(line[name] != 0.5 for name in names)
    layers = [stage['head'].fam for stage in runner.model.distiller.stages]
    # The last reading was at iteration 2 of 3: one step of SGD away.
    for stage, layer in enumerate(layers, start=1):
        for name in ('gamma1', 'gamma2'):
            value = getattr(layer, name).item()
            assert log[-1][f'{name}_stage{stage}'] == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize('length', [0, -1, 'abc', float('nan'), float('inf'), None])
def test_length_must_be_positive(length):
    with pytest.raises(ValueError, match=f'length={length!r} of .* must be a positive'):
        DistillWarmupHook(length=length)


def test_epochs_in_a_training_by_iterations(train):
    with pytest.raises(ValueError, match='by_epoch=True of DistillWarmupHook needs ep'):
        train(EPOCHS, epochs=1, train_cfg=BY_ITERATIONS)


def test_iterations_in_a_training_by_iterations(train):
    _, log = train(ITERATIONS, epochs=1, train_cfg=BY_ITERATIONS)
    assert [line['distill_weight'] for line in log] == pytest.approx([0.2, 0.4])


def test_gammas_stand_in_every_line_of_the_losses(train):
    logger = dict(logger=dict(type='LoggerHook', interval=2))
    _, log = train(ITERATIONS, 2, default_hooks=logger, custom_hooks=GAMMAS)
    assert [line['step'] for line in log] == [2, 5]
    assert all('gamma1_stage4' in line for line in log)


@pytest.mark.parametrize(
    ('hook', 'reached'),
    [
        (EPOCHS, r'length=4 epochs, but the training has 1: .* reaches 0.25 of'),
        (ITERATIONS, r'length=5 iterations, but the training has 3: .* reaches 0.6'),
    ],
    ids=['epochs', 'iterations'],
)
def test_warm_up_longer_than_the_training_is_a_warning(hook, reached, train):
    runner, _ = train(hook, epochs=1)
    text = next(Path(runner.log_dir).glob('*.log')).read_text()
    assert re.search(reached, text)
