"""Switching the runtime on, and that it needs nothing of the rest of the package."""

import ast
from pathlib import Path

import mmengine.hooks
import pytest
from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import checkpoint
from torch import nn
from torch.optim import SGD

import famkd.runtime
from famkd.runtime import install, switch_on
from famkd.runtime.runtime_hook import RuntimeHook
from famkd.runtime.safe_checkpoint_hook import SafeCheckpointHook
from famkd.runtime.safe_load import read_file


def imported(path):
    """Names of the modules that a file imports; '.' before those of its own package."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield '.' * node.level + (node.module or '')


def test_it_imports_nothing_of_the_rest():
    for path in Path(famkd.runtime.__file__).parent.glob('*.py'):
        for name in imported(path):
            assert not name.startswith(('famkd', '..', 'mmrazor', 'mmpretrain')), path


def test_readers_of_mmengine_are_replaced():
    install()
    assert checkpoint._safe_torch_load is read_file


@pytest.mark.parametrize('name', ['_safe_torch_load', 'load_url'])
def test_another_mmengine_is_refused(name, monkeypatch):
    monkeypatch.delattr(checkpoint, name)
    message = rf'mmengine [\d.]+ has no mmengine.runner.checkpoint.{name}, .*install'
    with pytest.raises(ImportError, match=message):
        install()


def test_checkpoint_hook_of_any_config_is_crash_safe(make_runner):
    class_itself = mmengine.hooks.CheckpointHook
    for hook in (None, 'CheckpointHook', 'mmengine.CheckpointHook', class_itself):
        checkpoint = dict(type=hook, interval=1)
        changes = dict(default_hooks=dict(checkpoint=checkpoint)) if hook else {}
        found = [h for h in make_runner(**changes).hooks if 'Checkpoint' in repr(h)]
        assert [type(hook) for hook in found] == [SafeCheckpointHook]


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({}, dict(runtime=dict(type='RuntimeHook'))),
        (
            dict(default_hooks=dict(runtime=dict(nonfinite='skip'))),
            dict(runtime=dict(nonfinite='skip', type='RuntimeHook')),
        ),
        (dict(default_hooks=dict(runtime=None)), {}),
    ],
)
def test_switched_on_unless_switched_off(given, expected):
    config = Config(given)
    switch_on(config)
    assert config.default_hooks == expected


HOOKS = [
    'AverageLossesHook',
    'NonFiniteHook',
    'SyncBuffersHook',
    'EMAHook',
    'SameStartHook',
    'SafeCheckpointHook',
    'StopSignalHook',
    'ExactResumeHook',
]


def test_one_line_adds_all_hooks(make_runner):
    calls = []

    class Notes(RuntimeHook):
        def before_run(self, runner):
            super().before_run(runner)
            for hook in self.hooks:
                hook.before_run = lambda runner, hook=hook: calls.append(hook)

    options = dict(nonfinite='skip', max_skips=3, stop_signals=['SIGUSR1'])
    runner = make_runner(
        Notes(**options), custom_hooks=[dict(type='EMAHook', momentum=0.1)]
    )
    runner.train()
    names = [type(hook).__name__ for hook in runner.hooks]
    assert [name for name in names if name in HOOKS] == HOOKS
    # They are added while the runner calls the hooks: it comes to them, too.
    assert [type(hook).__name__ for hook in calls] == [
        name for name in HOOKS if name not in ('EMAHook', 'SafeCheckpointHook')
    ]
    by_name = dict(zip(names, runner.hooks, strict=True))
    assert by_name['NonFiniteHook'].action == 'skip'
    assert by_name['NonFiniteHook'].max_skips == 3
    assert [s.name for s in by_name['StopSignalHook'].signals] == ['SIGUSR1']


def test_a_hook_that_the_config_has_stays(make_runner):
    own = dict(type='NonFiniteHook', action='skip')
    runtime = dict(type='RuntimeHook')
    runner = make_runner(default_hooks=dict(own=own, runtime=runtime))
    runner.train()
    found = [h for h in runner.hooks if type(h).__name__ == 'NonFiniteHook']
    assert [hook.action for hook in found] == ['skip']


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(nonfinite='warn'), "nonfinite='warn' must be 'stop' or 'skip'"),
        (dict(stop_signals=['SIGFOO']), "there is no signal 'SIGFOO'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        RuntimeHook(**options)


class TwoOptimizers:
    """A constructor of an optimizer for the convolution and one for the rest."""

    def __init__(self, **options):
        pass

    def __call__(self, model):
        parts = dict(first=[model.conv, model.bn], second=[model.label, model.size])
        return OptimWrapperDict(
            **{
                name: OptimWrapper(SGD(nn.ModuleList(part).parameters(), lr=0.1))
                for name, part in parts.items()
            }
        )


@pytest.mark.parametrize('fault', [1, float('nan')])
def test_several_optimizers(fault, make_runner, monkeypatch):
    def train_step(model, data, optim_wrapper):
        total, losses = model.parse_losses(model(**data, mode='loss'))
        (total * fault).backward()
        for wrapper in optim_wrapper.values():
            wrapper.step()
            wrapper.zero_grad()
        return losses

    monkeypatch.setattr('tiny_training.TinyNetwork.train_step', train_step)
    options = dict(
        optim_wrapper=dict(_delete_=True, constructor=TwoOptimizers),
        default_hooks=dict(runtime=dict(type='RuntimeHook')),
    )
    runner = make_runner(**options)
    if fault != 1:
        with pytest.raises(FloatingPointError, match='gradients of 8 of 8 parameters'):
            runner.train()
        return
    runner.train()
    resumed = make_runner(**options, resume=True, train_cfg=dict(max_epochs=3))
    resumed.train()
    assert resumed.iter == 9


def test_without_a_visualizer_no_folder_is_missed(make_runner, capsys):
    hooks = dict(runtime=dict(type='RuntimeHook'))
    make_runner(
        visualizer=dict(type='Visualizer', vis_backends=[]), default_hooks=hooks
    ).train()
    assert 'was removed' not in ''.join(capsys.readouterr())
