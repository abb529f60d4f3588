"""The set-up script, in a copy of the repository, with pip replaced by a recorder."""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def set_up(tmp_path, monkeypatch):
    """The script as a module, whose repository and cache are below tmp_path."""
    repository = tmp_path / 'famkd'
    for name in ('tools/dev/set_up.py', 'setup.py', 'setup.cfg'):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, repository / name)
    shutil.copytree(ROOT / 'requirements', repository / 'requirements')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.delenv('FORCE_CUDA', raising=False)
    script = repository / 'tools' / 'dev' / 'set_up.py'
    spec = importlib.util.spec_from_file_location('set_up', script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def steps(set_up, monkeypatch):
    """Titles of the steps that ran, and their commands.

    ``steps.fail`` maps a title to an exception.
    """

    class Steps(list):
        fail = {}

    done = Steps()
    done.commands, done.variables = [], []

    def run(title, command, **variables):
        done.append(title.strip())
        done.commands.append(command)
        done.variables.append(variables)
        for part, error in done.fail.items():
            if part in title:
                raise error
        if title == '[1/5] .venv':
            set_up.PACKAGES.mkdir(parents=True)
            (set_up.VENV / 'bin').mkdir()
            (set_up.VENV / 'bin' / 'python').touch()
        if 'compiled' in title:
            (set_up.TMP / 'onedl_mmcv-2-cp311.whl').write_text('wheel')

    monkeypatch.setattr(set_up, 'run', run)
    return done


def has(steps, text):
    return any(text in title for title in steps)


@pytest.mark.parametrize('version, word', [((3, 9), 'old'), ((3, 14), 'new')])
def test_python_out_of_range(set_up, version, word):
    with pytest.raises(
        set_up.SetUpError, match=rf'too {word}.*3\.10 to 3\.13.*PYTHON='
    ):
        set_up.check_python(version)


@pytest.mark.parametrize('version', [(3, 10), (3, 11), (3, 12), (3, 13)])
def test_python_in_range(set_up, version):
    set_up.check_python(version)


def test_second_call_does_nothing(set_up, steps):
    assert set_up.main() == 0
    assert has(steps, 'PyTorch') and has(steps, 'compiled once') and has(steps, 'check')
    steps.clear()
    assert set_up.main() == 0
    assert steps == []


def test_everything_that_the_tests_and_the_demo_need_is_installed(set_up, steps):
    assert set_up.main() == 0
    installed = {part for command in steps.commands for part in command}
    assert set(set_up.REQUIREMENTS.glob('*.txt')) <= installed


@pytest.mark.parametrize('title', ['.venv', 'PyTorch', 'compiled', 'MMRazor', 'check'])
def test_interrupted_set_up_is_finished_by_the_next_call(set_up, steps, capsys, title):
    steps.fail = {title: KeyboardInterrupt()}
    assert set_up.main() == 1
    assert 'interrupted' in capsys.readouterr().err
    assert not set_up.is_done()
    steps.fail = {}
    steps.clear()
    assert set_up.main() == 0
    assert has(steps, title) and has(steps, 'check')
    assert has(steps, '[1/5] .venv') == (title == '.venv')
    assert not set_up.TMP.exists()


def test_package_cut_off_while_being_copied_is_installed_again(set_up, steps):
    assert set_up.main() == 0
    whole, cut = set_up.PACKAGES / 'a-1.dist-info', set_up.PACKAGES / 'b-1.dist-info'
    for info in (whole, cut):
        info.mkdir()
        (info / 'METADATA').touch()
    (whole / 'INSTALLER').write_text('pip')
    set_up.STATE.write_text('installing')
    assert set_up.main() == 0
    assert whole.exists() and not cut.exists()


def test_changed_requirements_are_installed(set_up, steps):
    assert set_up.main() == 0
    steps.clear()
    with open(set_up.REQUIREMENTS / 'runtime.txt', 'a') as file:
        file.write('# changed\n')
    assert set_up.main() == 0
    assert has(steps, 'MMRazor') and not has(steps, '[1/5]')
    assert not has(steps, 'compiled once')


def test_environment_of_another_python_is_made_anew(set_up, steps):
    assert set_up.main() == 0
    set_up.PACKAGES.parent.rename(set_up.VENV / 'lib' / 'python3.0')
    set_up.STATE.write_text('fingerprint with python3.0')
    steps.clear()
    assert set_up.main() == 0
    assert has(steps, '[1/5] .venv') and not (set_up.VENV / 'lib/python3.0').exists()


def test_environment_that_is_not_ours_is_left_alone(set_up, steps, capsys):
    (set_up.VENV / 'bin').mkdir(parents=True)
    assert set_up.main() == 1
    assert 'was not made by make' in capsys.readouterr().err
    assert steps == [] and (set_up.VENV / 'bin').exists()


def test_compiled_mmcv_is_kept_for_the_next_environment(set_up, steps):
    (set_up.mmcv_folder()).mkdir(parents=True)
    (set_up.mmcv_folder() / 'partial').touch()
    assert set_up.main() == 0
    assert has(steps, 'compiled once')
    shutil.rmtree(set_up.VENV)
    steps.clear()
    assert set_up.main() == 0
    assert has(steps, 'PyTorch') and not has(steps, 'compiled once')
    for part in ('py3.', 'torch2.', 'mmcv2.', 'cpu'):
        assert part in set_up.mmcv_folder().name


def test_mmcv_is_compiled_again_for_another_pytorch(set_up, steps):
    assert set_up.main() == 0
    constraints = set_up.REQUIREMENTS / 'constraints.txt'
    changed = constraints.read_text().replace('\ntorch==2.', '\ntorch==3.')
    constraints.write_text(changed)
    steps.clear()
    assert set_up.main() == 0
    assert has(steps, 'compiled once')


def test_no_compiler_is_needed_without_operators(set_up, steps, monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert set_up.main(['--without-operators']) == 0
    assert has(steps, 'mmcv without its compiled operators')
    assert not has(steps, 'compiled once')
    assert 'mmcv._ext' not in steps.commands[-1][-1]
    assert sum('PYTHONPATH' in variables for variables in steps.variables) == 1
    steps.clear()
    assert set_up.main(['--without-operators']) == 0
    assert steps == []


def test_operators_are_added_when_they_are_needed(set_up, steps):
    assert set_up.main(['--without-operators']) == 0
    steps.clear()
    assert set_up.main() == 0
    assert has(steps, 'compiled once') and not has(steps, '[1/5]')
    assert 'mmcv._ext' in steps.commands[-1][-1]
    steps.clear()
    assert set_up.main(['--without-operators']) == 0
    assert steps == []


def test_kept_mmcv_with_operators_is_taken_where_none_are_needed(set_up, steps):
    assert set_up.main() == 0
    shutil.rmtree(set_up.VENV)
    assert set_up.main(['--without-operators']) == 0
    steps.clear()
    assert set_up.main() == 0
    assert steps == []


def test_no_compiler(set_up, steps, monkeypatch, capsys, tmp_path):
    monkeypatch.delenv('CXX', raising=False)
    monkeypatch.setenv('PATH', str(tmp_path))
    assert set_up.main() == 1
    assert 'no C++ compiler (c++)' in capsys.readouterr().err
    assert steps == [] and not set_up.VENV.exists()


def test_no_compiler_is_needed_for_a_kept_mmcv(set_up, steps, monkeypatch, tmp_path):
    assert set_up.main() == 0
    shutil.rmtree(set_up.VENV)
    monkeypatch.setenv('PATH', str(tmp_path))
    assert set_up.main() == 0


def test_too_little_space(set_up, steps, monkeypatch, capsys):
    usage = shutil.disk_usage(set_up.ROOT)
    monkeypatch.setattr(
        set_up.shutil, 'disk_usage', lambda _: usage._replace(free=3_000_000_000)
    )
    assert set_up.main() == 1
    error = capsys.readouterr().err
    assert 'too little disk space: 3.0 GB are free' in error
    assert error.count('\n') == 1 and steps == []


def test_disk_full_on_the_way(set_up, steps, capsys):
    steps.fail = {'MMRazor': OSError(28, 'No space left on device')}
    assert set_up.main() == 1
    assert 'the disk is full: free some GB' in capsys.readouterr().err
    output = 'ERROR: could not install: [Errno 28] No space left on device\n'
    assert set_up.explain('PyTorch', output) == set_up.DISK_FULL


def test_failing_step_is_named_with_its_last_error(set_up):
    set_up.TMP.mkdir(parents=True)
    script = (
        'print("ERROR: nothing found for torch==9"); print("bye"); raise SystemExit(1)'
    )
    with pytest.raises(set_up.SetUpError) as error:
        set_up.run('[2/5] PyTorch', [sys.executable, '-c', script])
    message = str(error.value)
    assert '"[2/5] PyTorch" failed: ERROR: nothing found for torch==9' in message
    assert str(set_up.LOG) in message and '\n' not in message
    assert 'bye' in set_up.LOG.read_text()


def test_second_call_waits_for_the_first(set_up, tmp_path):
    waiter = (
        f'import sys; sys.path.insert(0, {str(set_up.ROOT / "tools" / "dev")!r})\n'
        'import set_up\n'
        f'with set_up.lock({str(tmp_path / "lock")!r}): print("mine")'
    )
    with set_up.lock(tmp_path / 'lock'):
        process = subprocess.Popen(
            [sys.executable, '-c', waiter], stdout=subprocess.PIPE, text=True
        )
        assert 'waiting' in process.stdout.readline()
    assert process.communicate(timeout=30)[0] == 'mine\n'


def test_step_that_outlives_a_killed_set_up_keeps_the_lock(set_up, tmp_path):
    with set_up.lock(tmp_path / 'lock'):
        step = subprocess.Popen(['sleep', '60'], close_fds=False)
    with open(tmp_path / 'lock', 'w') as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        step.kill()
        step.wait()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_interrupt_ends_the_step_that_runs(set_up, tmp_path):
    set_up.TMP.mkdir(parents=True)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    with pytest.raises(KeyboardInterrupt):
        set_up.run('wait', ['sh', '-c', f'echo $$ > {tmp_path}/pid; sleep 60'])
    # Whoever inherits the killed processes may take a moment to bury them.
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.killpg(int((tmp_path / 'pid').read_text()), 0)
            time.sleep(0.1)
