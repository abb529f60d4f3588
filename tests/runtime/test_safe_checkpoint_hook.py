"""Crashes, full disks and damaged files: what there is to resume from."""

import errno
import os
import shutil
import zipfile

import pytest
import torch
from mmengine.hooks import Hook
from tiny_training import Scores, validation

from famkd.runtime import atomic_backend
from famkd.runtime.safe_checkpoint_hook import SafeCheckpointHook
from famkd.runtime.safe_load import load_checkpoint

HOOK = dict(type='CheckpointHook', interval=1, max_keep_ckpts=2)


class Crash(Exception):
    """The end of a process, as far as the folder of checkpoints is concerned."""


@pytest.fixture
def train(make_runner):
    """Function (*hooks, **changes): trains 4 epochs of one iteration, saves each."""

    def train(*hooks, **changes):
        runner = make_runner(
            *hooks,
            **{
                'train_cfg.max_epochs': 4,
                'train_dataloader.dataset.length': 4,
                'default_hooks': dict(checkpoint=HOOK),
                **changes,
            },
        )
        runner.train()
        return runner

    return train


def names(folder):
    return sorted(path.name for path in folder.glob('*.pth*'))


def last(folder):
    return (folder / 'last_checkpoint').read_text()


def crash_at(monkeypatch, function, name):
    """Has a function of ``os`` end the training when it is called for a file."""
    real = getattr(os, function)

    def call(path, *args, **options):
        if name in str((path, *args)):
            raise Crash
        return real(path, *args, **options)

    monkeypatch.setattr(os, function, call)


def test_the_newest_are_kept(train, tmp_path):
    train()
    assert names(tmp_path) == ['epoch_3.pth', 'epoch_4.pth']
    assert last(tmp_path) == 'epoch_4.pth'


@pytest.mark.parametrize(
    ('function', 'name', 'left', 'noted'),
    [
        # before epoch_3.pth gets its name, before it is noted, before an old one goes
        ('replace', 'epoch_3.pth', [1, 2, '3.pth.tmp'], 2),
        ('replace', 'last_checkpoint', [1], None),
        ('remove', 'epoch_1.pth', [1, 2, 3], 3),
    ],
)
def test_killed_while_saving(function, name, left, noted, train, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        crash_at(patch, function, name)
        with pytest.raises(Crash):
            train()
    left = [f'epoch_{i}' if isinstance(i, str) else f'epoch_{i}.pth' for i in left]
    assert names(tmp_path) == left
    if noted:
        assert last(tmp_path) == f'epoch_{noted}.pth'
    else:
        assert not (tmp_path / 'last_checkpoint').exists()
    runner = train(resume=True)
    assert runner.epoch == 4
    assert names(tmp_path) == ['epoch_3.pth', 'epoch_4.pth']


def damage(path, how):
    content = bytearray(path.read_bytes())
    if how == 'truncated':
        del content[len(content) // 2 :]
    elif how == 'flipped':
        content[len(content) // 2] ^= 1
    else:
        content[:] = bytes(len(content))
    path.write_bytes(content)


@pytest.mark.parametrize('how', ['truncated', 'flipped', 'zeroed'])
def test_a_damaged_checkpoint_is_passed_over(how, train, tmp_path, capsys):
    train()
    damage(tmp_path / 'epoch_4.pth', how)
    runner = train(resume=True)
    # The log is on the standard output or error of the process.
    text = ''.join(capsys.readouterr())
    assert 'epoch_4.pth is damaged: the training goes on from the ' in text
    assert 'resumed epoch: 3' in text
    assert runner.epoch == 4
    assert load_checkpoint(tmp_path / 'epoch_4.pth')['meta']['epoch'] == 4


def test_all_are_damaged(train, tmp_path):
    train()
    for path in tmp_path.glob('*.pth'):
        damage(path, 'truncated')
    with pytest.raises(
        ValueError, match='no checkpoint in .* is complete, of epoch_4.pth'
    ):
        train(resume=True)


def test_checkpoints_of_a_training_before_come_last(train, tmp_path):
    """The newest is meant, not the one with the highest number."""
    train()
    (tmp_path / 'epoch_4.pth').rename(tmp_path / 'epoch_9.pth')
    train(**{'train_cfg.max_epochs': 2})
    damage(tmp_path / 'epoch_2.pth', 'truncated')
    assert train(resume=True, **{'train_cfg.max_epochs': 1}).epoch == 1


def test_a_moved_folder(train, tmp_path):
    train(work_dir=str(tmp_path / 'a'), **{'train_cfg.max_epochs': 2})
    (tmp_path / 'a').rename(tmp_path / 'b')
    assert train(work_dir=str(tmp_path / 'b'), resume=True).epoch == 4
    assert names(tmp_path / 'b') == ['epoch_3.pth', 'epoch_4.pth']


def test_nothing_to_resume_from(train):
    assert train(resume=True).epoch == 4


def test_full_disk(train, tmp_path, monkeypatch):
    """The disk is full, as the operating system says it, when epoch 3 is written."""
    real = atomic_backend.os.fsync

    def fsync(file):
        if (tmp_path / 'epoch_3.pth.tmp').exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    with monkeypatch.context() as patch:
        patch.setattr(atomic_backend.os, 'fsync', fsync)
        with pytest.raises(OSError, match='No space left .* bytes .*epoch_3.pth') as e:
            train()
    assert e.value.errno == errno.ENOSPC
    assert names(tmp_path) == ['epoch_1.pth', 'epoch_2.pth']
    assert last(tmp_path) == 'epoch_2.pth'
    assert train(resume=True).epoch == 4


VALIDATION = dict(
    **validation(),
    default_hooks=dict(checkpoint=dict(**HOOK, save_best='score', rule='greater')),
)


def test_the_best_is_kept(train, tmp_path):
    runner = train(Scores(1, 3, 2, 0), **VALIDATION)
    assert names(tmp_path) == ['best_score_epoch_2.pth', 'epoch_3.pth', 'epoch_4.pth']
    assert runner.message_hub.get_info('best_score') == 3


@pytest.mark.parametrize(
    ('function', 'name'),
    [('replace', 'best_score_epoch_2.pth'), ('remove', 'best_score_epoch_1.pth')],
    ids=['before the new best is there', 'before the previous best goes'],
)
def test_killed_while_saving_the_best(function, name, train, tmp_path, monkeypatch):
    scores = Scores(1, 3, 2, 0)
    # Makes up for the validation that the crash has cut short.
    changes = dict(**VALIDATION, custom_hooks=[dict(type='ExactResumeHook')])
    with monkeypatch.context() as patch:
        crash_at(patch, function, name)
        with pytest.raises(Crash):
            train(scores, **changes)
    assert (tmp_path / 'best_score_epoch_1.pth').exists()
    runner = train(scores, **changes, resume=True)
    assert names(tmp_path) == ['best_score_epoch_2.pth', 'epoch_3.pth', 'epoch_4.pth']
    assert runner.message_hub.get_info('best_score') == 3
    best = torch.load(tmp_path / 'best_score_epoch_2.pth', weights_only=False)
    assert best['meta']['epoch'] == 2


class Validations(Hook):
    """Counts the validations that are begun."""

    count = 0

    def before_val(self, runner):
        self.count += 1


@pytest.mark.parametrize('scores', [(1, 2, 3, 4), (4, 3, 2, 1)], ids=['best', 'worse'])
def test_a_finished_validation_is_not_repeated(scores, train, tmp_path):
    class CrashAfterValidation(Hook):
        def before_train_epoch(self, runner):
            if runner.epoch == 3:
                raise Crash

    changes = dict(**VALIDATION, custom_hooks=[dict(type='ExactResumeHook')])
    with pytest.raises(Crash):
        train(Scores(*scores), CrashAfterValidation(), **changes)
    validations = Validations()
    runner = train(Scores(*scores), validations, **changes, resume=True)
    assert runner.epoch == 4
    assert validations.count == 1  # that of the fourth epoch


def test_the_best_of_another_folder_stays(train, tmp_path):
    """Also where its checkpoint goes on in a folder of its own."""
    a, b = tmp_path / 'a', tmp_path / 'b'
    train(Scores(1, 2, 0, 0), work_dir=str(a), **VALIDATION)
    before = names(a)
    runner = train(
        Scores(1, 2, 3, 4),
        work_dir=str(b),
        load_from=str(a / 'epoch_3.pth'),
        resume=True,
        **VALIDATION,
    )
    assert names(a) == before
    assert runner.epoch == 4
    assert names(b) == ['best_score_epoch_4.pth', 'epoch_4.pth']


def test_files_are_recorded_by_name(train, tmp_path):
    hook = dict(**HOOK, save_best=['score', 'other'], rule='greater')
    scores = Scores(1, 2, 3, 4)
    train(scores, OtherScore(), **validation(), default_hooks=dict(checkpoint=hook))
    info = load_checkpoint(tmp_path / 'epoch_4.pth')['message_hub']['runtime_info']
    assert info['best_ckpt_score'] == 'best_score_epoch_4.pth'
    assert info['best_ckpt_other'] == 'best_other_epoch_1.pth'
    assert info['last_ckpt'] == 'epoch_4.pth'


class OtherScore(Hook):
    """Adds a metric that falls."""

    priority = 'VERY_HIGH'

    def after_val_epoch(self, runner, metrics):
        metrics['other'] = -runner.epoch


def test_a_copied_folder_is_a_training_of_its_own(train, tmp_path):
    a, b = tmp_path / 'a', tmp_path / 'b'
    train(Scores(1, 2), work_dir=str(a), **VALIDATION, **{'train_cfg.max_epochs': 2})
    shutil.copytree(a, b)
    (a / 'epoch_2.pth').write_bytes(b'')
    before = names(a)
    runner = train(Scores(1, 2, 3, 4), work_dir=str(b), resume=True, **VALIDATION)
    assert runner.epoch == 4
    assert names(a) == before
    assert names(b) == ['best_score_epoch_4.pth', 'epoch_3.pth', 'epoch_4.pth']


@pytest.mark.parametrize('name', ['../victim', 'victim.pth', '/etc/victim'])
def test_what_a_checkpoint_names_is_not_removed(name, train, tmp_path):
    work_dir = tmp_path / 'work'
    train(Scores(1, 0, 0, 0), work_dir=str(work_dir), **VALIDATION)
    victims = [tmp_path / 'victim/file', work_dir / 'victim.pth']
    for victim in victims:
        victim.parent.mkdir(exist_ok=True)
        victim.write_text('')
    saved = load_checkpoint(work_dir / 'epoch_4.pth')
    saved['meta']['epoch'] = 2
    saved['message_hub']['runtime_info'].update(
        best_ckpt=str(work_dir / name),
        keep_ckpt_ids=[f'x/../../{name}', '*', 1, 2, 3],
        replaced_best=[name, str(tmp_path / name), 3],
    )
    torch.save(saved, work_dir / 'epoch_4.pth')
    train(Scores(1, 2, 3, 4), work_dir=str(work_dir), **VALIDATION, resume=True)
    assert all(victim.exists() for victim in victims)


def test_a_folder_of_checkpoints_of_its_own(train, tmp_path):
    hook = dict(checkpoint=dict(**HOOK, out_dir=str(tmp_path / 'out')))
    changes = dict(work_dir=str(tmp_path / 'work'), default_hooks=hook)
    train(**changes, **{'train_cfg.max_epochs': 2})
    assert names(tmp_path / 'out/work') == ['epoch_1.pth', 'epoch_2.pth']
    damage(tmp_path / 'out/work/epoch_2.pth', 'truncated')
    assert train(**changes, resume=True).epoch == 4
    assert names(tmp_path / 'out/work') == ['epoch_3.pth', 'epoch_4.pth']


def test_an_empty_archive_is_damaged(train, tmp_path, capsys):
    train()
    zipfile.ZipFile(tmp_path / 'epoch_4.pth', 'w').close()
    train(resume=True)
    assert 'epoch_4.pth is damaged' in ''.join(capsys.readouterr())


def test_a_later_checkpoint_is_of_another_training(train, tmp_path, capsys):
    train()
    (tmp_path / 'epoch_9.pth').write_bytes((tmp_path / 'epoch_4.pth').read_bytes())
    train(**{'train_cfg.max_epochs': 2})
    damage(tmp_path / 'epoch_2.pth', 'flipped')
    for path in sorted(tmp_path.glob('*.pth'), reverse=True):
        os.utime(path)  # as copies of the files are of another time
    train(resume=True, **{'train_cfg.max_epochs': 3})
    assert 'resumed epoch: 1' in ''.join(capsys.readouterr())


class Spoil(Hook):
    """Makes a tensor infinite at the end of the third epoch."""

    def __init__(self, name):
        self.name = name

    def before_train_epoch(self, runner):
        if runner.epoch == 2:
            runner.model.state_dict()[self.name].fill_(float('inf'))


@pytest.mark.parametrize('name', ['bn.running_var', 'label.bias'])
def test_what_is_not_finite_is_not_saved(name, train, tmp_path):
    message = r'after 3 iterations is not saved: state_dict\..* not finite. Go on from'
    with pytest.raises(FloatingPointError, match=message):
        train(Scores(1, 2, 3, 4), Spoil(name), **VALIDATION)
    assert names(tmp_path) == ['best_score_epoch_2.pth', 'epoch_1.pth', 'epoch_2.pth']
    assert last(tmp_path) == 'epoch_2.pth'


def test_a_misspelt_option(make_runner):
    hook = dict(type='CheckpointHook', intervall=1)
    with pytest.raises(TypeError, match="no option 'intervall'; did you mean interval"):
        make_runner(default_hooks=dict(checkpoint=hook))


@pytest.mark.parametrize('name', ['last.pth', 'epoch_{}_{}.pth', 'epoch_{:3}.pth'])
def test_names_without_a_place_for_one_number(name):
    with pytest.raises(ValueError, match='must have {} in it, once'):
        SafeCheckpointHook(filename_tmpl=name)


def test_names_of_other_folders():
    with pytest.raises(ValueError, match='must name no folder'):
        SafeCheckpointHook(filename_tmpl='../epoch_{}.pth')


def test_a_folder_that_cannot_be_made(train, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(ValueError, match='out_dir=.*cannot be made'):
        train(default_hooks=dict(checkpoint=dict(**HOOK, out_dir=f'{tmp_path}/file')))


def test_the_work_folder_is_removed(train, tmp_path):
    """What comes after is saved all the same."""

    class Remove(Hook):
        def before_train_epoch(self, runner):
            if runner.epoch == 2:
                shutil.rmtree(tmp_path / 'work')

    changes = dict(work_dir=str(tmp_path / 'work'), **VALIDATION)
    runtime = {'default_hooks.runtime': dict(type='RuntimeHook')}
    train(Scores(3, 1, 2, 0), Remove(), **changes, **runtime)
    assert names(tmp_path / 'work') == ['epoch_3.pth', 'epoch_4.pth']
    assert train(**changes, resume=True, **{'train_cfg.max_epochs': 5}).epoch == 5
