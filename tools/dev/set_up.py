"""Makes ``.venv`` and installs the supported stack in it: what ``make`` calls first.

Nothing to do: returns at once. Interrupted: the next call goes on. Two calls at a
time: the second waits. mmcv, which takes minutes to compile, is kept as a wheel in
``$XDG_CACHE_HOME/famkd`` (``~/.cache/famkd``), one for every combination of Python,
PyTorch and mmcv. Only the standard library is used, and no syntax newer than that of
Python 3.6, so that an old Python gets a message and no SyntaxError.

``--without-operators``, for those who classify only: nothing is compiled, and mmcv is
installed without its operators, unless a compiled one is kept. A later call without the
option adds them.

``FORCE_CUDA=1`` compiles mmcv's operators for GPUs too, with CUDA's nvcc; what needs
them is detection and segmentation on a GPU.
"""

import argparse
import errno
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / '.venv'
# 'creating', 'installing', or, when all is done, the fingerprint of what was installed
STATE = VENV / 'set_up.state'
LOG = VENV / 'set_up.log'
TMP = VENV / 'tmp'
REQUIREMENTS = ROOT / 'requirements'
# what `make demo` and `make test` need, besides what famkd itself needs
EXTRAS = ('det', 'seg', 'timm', 'vis', 'demo', 'deploy', 'docs', 'tests')
OLDEST, NEWEST = (3, 10), (3, 13)
PY = '{}.{}'.format(*sys.version_info)
PACKAGES = VENV / 'lib' / f'python{PY}' / 'site-packages'
SPACE_GB = 10
DISK_FULL = f'the disk is full: free some GB in {ROOT} and call make again'


class SetUpError(Exception):
    """A reason to stop, in one line for the user."""


def check_python(version=sys.version_info[:2]):
    if OLDEST <= version <= NEWEST:
        return
    names = [f'python3.{minor}' for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    found = [name for name in names if shutil.which(name) and works(name)]
    problem = 'too old' if version < OLDEST else 'too new'
    raise SetUpError(
        f'Python {version[0]}.{version[1]} is {problem}'
        f': famkd needs 3.{OLDEST[1]} to 3.{NEWEST[1]}. Install one of them and name '
        f'it, as in: PYTHON={(found or names)[0]} make test'
    )


def works(python):
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    return subprocess.call([python, '-c', ''], **quiet) == 0


def check_venv_module():
    if importlib.util.find_spec('ensurepip') is None:
        raise SetUpError(
            f'this Python {PY} comes without its venv module. Install it (Debian, '
            f'Ubuntu: sudo apt install python{PY}-venv)'
        )


def check_space():
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < SPACE_GB:
        raise SetUpError(
            f'too little disk space: {free:.1f} GB are free in {ROOT}, the set-up '
            f'needs {SPACE_GB} GB. Free some, or clone to another disk'
        )


def check_compiler():
    compiler = os.environ.get('CXX', 'c++')
    if not shutil.which(compiler):
        raise SetUpError(
            f'no C++ compiler ({compiler}) to compile mmcv with. Install g++ (Debian, '
            'Ubuntu: sudo apt install g++) or name yours: CXX=... make test'
        )
    if not Path(sysconfig.get_path('include'), 'Python.h').exists():
        raise SetUpError(
            f'the C headers of Python {PY} are missing, to compile mmcv with. Install '
            f'them (Debian, Ubuntu: sudo apt install python{PY}-dev)'
        )


def fingerprint(with_operators=True):
    """Changes whenever the environment has to be brought up to date."""
    files = sorted(REQUIREMENTS.glob('*.txt'))
    files += [ROOT / 'setup.py', ROOT / 'setup.cfg', Path(__file__).resolve()]
    content = [path.read_bytes() for path in files]
    content += [repr((str(ROOT), PY, wants_cuda(), with_operators)).encode()]
    return hashlib.sha256(b'\0'.join(content)).hexdigest()


def is_done(with_operators=True):
    """Whether all is there; one that has the operators serves those without, too."""
    good = [fingerprint()] + ([] if with_operators else [fingerprint(False)])
    python = VENV / 'bin' / 'python'
    return STATE.exists() and STATE.read_text() in good and python.exists()


def pinned(name):
    text = (REQUIREMENTS / 'constraints.txt').read_text()
    return re.search(rf'^{name}==([^\s;]+)', text, re.MULTILINE).group(1)


def wants_cuda():
    return os.environ.get('FORCE_CUDA') == '1'


def mmcv_folder():
    """Where the compiled wheel of mmcv for this combination is kept."""
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    versions = f'py{PY}-torch{pinned("torch")}-mmcv{pinned("onedl-mmcv")}'
    device = 'cuda' if wants_cuda() else 'cpu'
    return Path(cache, 'famkd', f'{versions}-{device}-{sysconfig.get_platform()}')


def mmcv_wheel():
    """The kept wheel, or None."""
    return next(mmcv_folder().glob('*.whl'), None)


@contextmanager
def lock(path):
    """Holds a lock; if somebody else has it, says so and waits.

    What is started meanwhile inherits it: a pip that outlives a killed set-up still
    keeps the next one out.
    """
    with open(str(path), 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('another set-up is running: waiting for its end', flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        os.set_inheritable(file.fileno(), True)
        yield


def run(title, command, **variables):
    """Runs a step, with its output in the log; prints the minutes it takes."""
    print(title, flush=True)
    env = dict(os.environ, TMPDIR=str(TMP), **variables)
    start = time.time()
    with open(str(LOG), 'a+') as log:
        begin = log.tell()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=str(ROOT),
            env=env,
            close_fds=False,  # the locks
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    print(f'    {(time.time() - start) / 60:.0f} min', flush=True)
        except BaseException:
            stop(process)
            raise
        log.seek(begin)
        output = log.read()
    if process.returncode:
        if process.returncode < 0:
            output += f'error: killed by signal {-process.returncode}'
        raise SetUpError(explain(title, output))


def stop(process):
    """Ends a step and all that it started; pip tidies up on an interrupt."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(10)


def explain(title, output):
    """One line about a step that failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if 'No space left on device' in output or shutil.disk_usage(str(ROOT)).free < 1e8:
        return DISK_FULL
    errors = [line for line in lines if re.match(r'(\w+\.)*\w*error\b', line, re.I)]
    reason = (errors or lines or ['no output'])[-1]
    return f'"{title.strip()}" failed: {reason} (everything it printed: {LOG})'


def pip(title, *arguments, **variables):
    quiet = ['--disable-pip-version-check', '--no-input', '--progress-bar=off']
    constraints = ['-c', REQUIREMENTS / 'constraints.txt']
    command = [VENV / 'bin' / 'python', '-m', 'pip', *arguments, *constraints, *quiet]
    run(title, command, **variables)


def make_venv():
    """Makes an empty ``.venv``, unless one of this Python is there to go on with."""
    state = STATE.read_text() if STATE.exists() else None
    if state is None and VENV.exists() and any(VENV.iterdir()):
        raise SetUpError(
            f'{VENV} was not made by make, which leaves it alone. Move it away; or '
            'use it yourself, as in docs/install.md'
        )
    usable = PACKAGES.is_dir() and (VENV / 'bin' / 'python').exists()
    if state in (None, 'creating') or not usable:
        check_venv_module()
        VENV.mkdir(exist_ok=True)
        STATE.write_text('creating')
        for path in VENV.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(str(path))
            elif path != STATE:
                path.unlink()
        check_space()
        TMP.mkdir()
        # not sys.executable: that may be the one in .venv
        python = getattr(sys, '_base_executable', None) or sys.executable
        run('[1/5] .venv', [python, '-m', 'venv', VENV])
    STATE.write_text('installing')


def remove_cut_off():
    """Forgets packages whose installation was cut off, which pip takes for whole.

    pip writes ``INSTALLER`` when all of a package's own files are in place.
    """
    for info in PACKAGES.glob('*.dist-info'):
        if not (info / 'INSTALLER').exists():
            shutil.rmtree(str(info))


def compile_mmcv():
    """Compiles the wheel of mmcv, unless it is kept; it appears whole or not at all."""
    folder = mmcv_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder / 'lock'):
        if mmcv_wheel():
            return
        # one compiler per processor: each takes over 1 GB of memory
        jobs = os.environ.get('MAX_JOBS') or str(os.cpu_count())
        hidden = {} if wants_cuda() else {'CUDA_VISIBLE_DEVICES': ''}
        pip(
            '[3/5] mmcv, compiled once and kept (about 10 min on two cores)',
            'wheel',
            f'onedl-mmcv=={pinned("onedl-mmcv")}',
            '--no-binary=onedl-mmcv',
            '--no-build-isolation',
            '--no-cache-dir',  # pip's cache does not know for which PyTorch it was
            '--no-deps',
            f'--wheel-dir={TMP}',
            MAX_JOBS=jobs,
            **hidden,
        )
        built = next(TMP.glob('onedl_mmcv*.whl'))
        partial = folder / 'partial'
        shutil.copyfile(str(built), str(partial))
        os.replace(str(partial), str(folder / built.name))


def install_mmcv(with_operators):
    # Again even if that version is there: it may be one for another PyTorch.
    again = ['install', '--no-deps', '--force-reinstall']
    if with_operators:
        if mmcv_wheel() is None:
            compile_mmcv()
        pip('[3/5] mmcv from ' + str(mmcv_folder()), *again, mmcv_wheel())
        return
    # mmcv compiles them wherever it can import PyTorch.
    no_torch = TMP / 'no_torch'
    no_torch.mkdir()
    (no_torch / 'torch.py').write_text("raise ModuleNotFoundError('hidden')")
    pip(
        '[3/5] mmcv without its compiled operators (seconds; make setup adds them)',
        *again,
        f'onedl-mmcv=={pinned("onedl-mmcv")}',
        '--no-binary=onedl-mmcv',
        '--no-build-isolation',
        '--no-cache-dir',  # pip would take it for one with operators
        PYTHONPATH=str(no_torch),
    )


def install(with_operators):
    """Brings ``.venv`` to the pinned versions, step by step."""
    if with_operators and mmcv_wheel() is None:
        check_compiler()
    make_venv()
    remove_cut_off()
    shutil.rmtree(str(TMP), ignore_errors=True)
    TMP.mkdir()

    files = {path.stem: ['-r', path] for path in REQUIREMENTS.glob('*.txt')}
    title = f'[2/5] PyTorch {pinned("torch")} (about 2 min, download of 3 GB)'
    pip(title, 'install', 'torch', 'torchvision', *files['build'])
    install_mmcv(with_operators)
    pip(
        '[4/5] mmengine, mmpretrain, mmdet, mmseg, MMRazor and others (about 1 min)',
        'install',
        *files['runtime'],
        *files['mminstall'],
        *(part for extra in EXTRAS for part in files[extra]),
    )
    # Packages ask for OpenCV with and without windows, in one folder: the latter,
    # which needs no graphics libraries, must be the one that is there.
    again = ['--no-deps', '--force-reinstall', 'opencv-python-headless']
    pip('      OpenCV without windows', 'install', *again)
    editable = ['--no-deps', '--no-build-isolation', '-e', ROOT]
    pip('[5/5] famkd', 'install', *editable)
    # torch comes first: mmcv's operators are linked with it
    mmcv = 'mmcv._ext' if with_operators else 'mmcv'
    check = f'import sys, torch, {mmcv}, famkd.compat; sys.exit(famkd.compat.main())'
    run('      check', [VENV / 'bin' / 'python', '-c', check])
    shutil.rmtree(str(TMP))


def main(arguments=()):
    """Sets up; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--without-operators',
        action='store_true',
        help="leave out mmcv's compiled operators, which detection needs",
    )
    needs_operators = not parser.parse_args(arguments).without_operators
    try:
        check_python()
        if is_done(needs_operators):
            return 0
        with lock(ROOT / '.venv.lock'):
            if not is_done(needs_operators):
                print(f'Setting up {VENV}; output of all steps: {LOG}', flush=True)
                with_operators = needs_operators or mmcv_wheel() is not None
                install(with_operators)
                STATE.write_text(fingerprint(with_operators))
        return 0
    except SetUpError as error:
        print(f'set-up: {error}', file=sys.stderr)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        print(f'set-up: {DISK_FULL if full else error}', file=sys.stderr)
    except KeyboardInterrupt:
        print('set-up: interrupted; the next call goes on from here', file=sys.stderr)
    return 1


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
