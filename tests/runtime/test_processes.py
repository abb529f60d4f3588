"""Joining the other processes, losing them, and being restarted."""

import pytest
import torch.distributed as dist
from mmengine.config import Config

from famkd.runtime import processes


@pytest.fixture
def lost():
    return processes.lost_processes_reported


@pytest.mark.parametrize(
    ('error', 'reason'),
    [
        (
            RuntimeError('[/src/gloo/tcp/pair.cc:547] Connection closed by [::1]:927'),
            'Connection closed by [::1]:927',
        ),
        (dist.DistBackendError('NCCL error: remote\nmore'), 'NCCL error: remote'),
    ],
)
def test_a_lost_process_is_reported_in_one_line(lost, error, reason, monkeypatch):
    monkeypatch.setenv('RANK', '3')
    monkeypatch.setenv('WORLD_SIZE', '8')
    with pytest.raises(SystemExit) as exit, lost():
        raise error
    message = exit.value.code
    assert message.startswith('Process 3 of 8 stops, because another one does not')
    assert f'answer: {reason}. ' in message
    assert message.endswith('with --resume.') and '\n' not in message


def test_other_errors_are_left_alone(lost):
    with pytest.raises(RuntimeError, match='shapes differ'), lost():
        raise RuntimeError('shapes differ')


@pytest.mark.parametrize(
    'env_cfg, seconds',
    [({}, 600), (dict(env_cfg=dict(dist_cfg=dict(timeout=30))), 30)],
)
def test_timeout_of_gloo(tool, monkeypatch, env_cfg, seconds):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    calls = []
    monkeypatch.setattr(dist, 'init_process_group', lambda *_, **kw: calls.append(kw))
    cfg = Config(dict(launcher='pytorch', **env_cfg))
    processes.join_processes(None, cfg)
    assert calls[0]['timeout'].total_seconds() == seconds


@pytest.fixture
def resume_of(tool, tmp_path, monkeypatch):
    """Function (restarts, *options): ``--resume`` where torchrun may restart once."""
    monkeypatch.setenv('TORCHELASTIC_MAX_RESTARTS', '1')

    def resume_of(restarts, *options):
        monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', str(restarts))
        parser = tool('train').build_parser()
        args = parser.parse_args(['config.py', *options])
        cfg = Config(dict(work_dir=str(tmp_path)))
        tool('train').resume_after_restart(parser, cfg, args)
        return args.resume

    return resume_of


def test_a_restart_goes_on_from_the_latest_checkpoint(resume_of, tmp_path):
    assert resume_of(0) is None
    assert resume_of(1) is None  # there is none yet
    assert resume_of(1, '--resume', 'other.pth') == 'other.pth'
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_2.pth'))
    assert resume_of(0, '--resume') == 'auto'
    assert resume_of(1, '--resume', 'other.pth') == 'auto'
    assert resume_of(1) == 'auto'


def test_a_restart_before_the_first_save_begins_with_the_file(resume_of, tmp_path):
    """Not with what another training has left in the work folder."""
    note = tmp_path / 'last_checkpoint'
    note.write_text(str(tmp_path / 'epoch_2.pth'))
    assert resume_of(0, '--resume', '/else/where.pth', '--check') == '/else/where.pth'
    assert note.exists()  # a check changes no work folder
    assert resume_of(0, '--resume', '/else/where.pth') == '/else/where.pth'
    assert resume_of(1, '--resume', '/else/where.pth') == '/else/where.pth'
    note.write_text(str(tmp_path / 'epoch_3.pth'))  # It saves.
    assert resume_of(1, '--resume', '/else/where.pth') == 'auto'

    own = str(tmp_path / 'epoch_1.pth')
    assert resume_of(0, '--resume', own) == own
    assert resume_of(1, '--resume', own) == 'auto'
    assert note.read_text() == own


def test_a_restart_would_find_checkpoints_of_another_training(
    resume_of, tmp_path, capsys
):
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_2.pth'))
    with pytest.raises(SystemExit):
        resume_of(0)
    assert f'{tmp_path} has checkpoints of another training' in capsys.readouterr().err
