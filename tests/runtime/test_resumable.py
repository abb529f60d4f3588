"""Checkpoints that are none of the training that would go on from them."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.fileio import LocalBackend, register_backend

from famkd.runtime import resumable

RUNTIME = dict(default_hooks=dict(runtime=dict(type='RuntimeHook')))
SCHEDULE = dict(param_scheduler=[dict(type='CosineAnnealingLR', T_max=4)])
EMA = dict(custom_hooks=[dict(type='EMAHook')])


def without_a_weight(saved):
    del saved['state_dict']['conv.weight']


def with_another_shape(saved):
    saved['state_dict']['label.bias'] = torch.zeros(3)


def with_complex_numbers(saved):
    saved['state_dict']['label.bias'] = torch.zeros(2, dtype=torch.cfloat)


def with_integers(saved):
    saved['state_dict']['label.bias'] = torch.zeros(2, dtype=torch.int8)


def with_a_list(saved):
    saved['state_dict']['label.bias'] = [0, 0]


def a_list_of_weights(saved):
    saved['state_dict'] = list(saved['state_dict'])


def without_weights(saved):
    del saved['state_dict']


def with_nan_in_the_optimizer(saved):
    saved['optimizer']['state'][0]['spoilt'] = torch.tensor(float('nan'))


def with_another_number(saved):
    saved['meta']['iter'] = -3


def setting(path, value):
    """A change of what is at a place, such as ``'message_hub.runtime_info'``."""

    def change(saved):
        *places, last = path.split('.')
        for place in places:
            saved = saved[int(place) if place.isdigit() else place]
        saved[int(last) if last.isdigit() else last] = value

    return change


def weights_only(saved):
    del saved['message_hub']


@pytest.fixture
def resume(make_runner, tmp_path):
    """Function (change, **changes): goes on from a checkpoint that is changed."""

    def resume(change, **changes):
        make_runner(train_cfg=dict(max_epochs=1), **RUNTIME, **changes).train()
        saved = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)
        change(saved)
        torch.save(saved, tmp_path / 'changed.pth')
        path = str(tmp_path / 'changed.pth')
        runner = make_runner(resume=True, load_from=path, **RUNTIME, **changes)
        runner.train()
        return runner

    return resume


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (without_a_weight, r'1 of its 10 entries are missing \(conv.weight\)'),
        (with_another_shape, r'label.bias is \(3,\), the model has \(2,\)'),
        (
            with_complex_numbers,
            r'label.bias is \(2,\) of complex, the model has \(2,\)',
        ),
        (with_integers, r'label.bias is \(2,\) of integers, the model has \(2,\)'),
        (with_a_list, r'label.bias is a list, the model has \(2,\)'),
        (a_list_of_weights, 'state_dict of the checkpoint is no dict'),
        (without_weights, 'has no state_dict, so it is none of a training'),
        (with_nan_in_the_optimizer, r'optimizer.state.0.spoilt .* are not finite'),
        (with_another_number, 'meta.iter of the checkpoint is -3, no whole number'),
        (weights_only, 'has no message_hub, so it is none of a training'),
        (setting('param_schedulers', []), 'param_schedulers has 0 entries, .* has 1'),
        (setting('param_schedulers.0', {'a': 1}), r'schedulers.0 has no \w+; give one'),
        (setting('param_schedulers.0.last_step', 'x'), "last_step is 'x', no number"),
        (
            setting('message_hub.runtime_info.best_score', 'high'),
            "message_hub.runtime_info.best_score is 'high', no number; give one of a",
        ),
        (setting('message_hub', {}), 'message_hub has no log_scalars'),
        (setting('message_hub.log_scalars', 3), 'log_scalars is 3, no dict'),
        (setting('exact_resume', [1]), 'exact_resume is a list, no dict'),
        (setting('exact_resume.processes.0', {}), 'processes.0 has no random'),
        (
            setting('exact_resume.processes.0.random.python', (3, (1, 2), None)),
            'random.python.1 has 2 entries, this training has 625',
        ),
        (setting('optimizer', 'none'), "optimizer is 'none', no dict"),
        (setting('optimizer.state.0', [1]), 'optimizer.state.0 is a list, no dict'),
        (setting('optimizer.param_groups', {}), 'param_groups is a dict, no list'),
    ],
)
def test_another_model_is_refused(change, message, resume):
    with pytest.raises(ValueError, match=message):
        resume(change, **EMA, **SCHEDULE)


def test_averaged_weights_where_nothing_is_averaged(resume):
    def average(saved):
        saved['ema_state_dict'] = saved['state_dict']

    with pytest.raises(ValueError, match='and this training no EMAHook; add the one'):
        resume(average)


def test_what_is_of_no_use_is_listed(resume, capsys):
    def add(saved):
        saved['state_dict']['teacher.weight'] = torch.zeros(3)
        del saved['state_dict']['bn.num_batches_tracked']

    assert resume(add).iter == 6
    text = ''.join(capsys.readouterr())
    assert 'resume: 1 entries are of no use (teacher.weight)' in text


def test_a_checkpoint_without_an_optimizer(resume, capsys):
    assert resume(lambda saved: saved.pop('optimizer')).iter == 6
    assert 'no state of the optimizer' in ''.join(capsys.readouterr())


def test_a_start_from_what_does_not_fit(make_runner, tmp_path):
    weights = {'backbone.conv.weight': torch.zeros(4, 3, 3, 3)}
    torch.save(weights, tmp_path / 'other.pth')
    path = str(tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'none of its 1 weights \(backbone.conv.w'):
        make_runner(load_from=path, **RUNTIME).train()
    torch.save(dict(state_dict={'label.bias': torch.zeros(2)}), path)
    make_runner(load_from=path, **RUNTIME).train()


def test_a_url_is_left_to_its_backend(tmp_path):
    register_backend('elsewhere', LocalBackend, prefixes='elsewhere', force=True)
    given = []
    runner = SimpleNamespace(
        work_dir=str(tmp_path),
        call_hook=lambda name: None,
        save_checkpoint=lambda *_, backend_args: given.append(backend_args),
    )
    resumable.save_resumable(runner, 'epoch_1.pth', 'elsewhere://run')
    resumable.save_resumable(runner, 'epoch_1.pth')
    assert given == [None, dict(backend='atomic')]


def test_a_complete_checkpoint_needs_no_other(tmp_path, monkeypatch):
    torch.save({}, tmp_path / 'interrupted.pth')
    (tmp_path / 'last_checkpoint').write_text('interrupted.pth')
    torch.save({}, tmp_path / 'epoch_1.pth')
    monkeypatch.setattr(resumable, '_time', None)  # reads them all
    found = resumable.find_complete_checkpoint(
        str(tmp_path), str(tmp_path), 'epoch_{}.pth'
    )
    assert found == str(tmp_path / 'interrupted.pth')


def test_a_folder_of_checkpoints_that_is_not_there(tmp_path):
    (tmp_path / 'interrupted.pth').write_bytes(b'damaged')
    (tmp_path / 'last_checkpoint').write_text('interrupted.pth')
    with pytest.raises(ValueError, match='no checkpoint in .* is complete'):
        resumable.find_complete_checkpoint(
            str(tmp_path), str(tmp_path / 'none'), 'epoch_{}.pth'
        )
