"""famkd.compat on the installed stack, and on small stand-ins of other ones."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

RAZOR = """
import mmcv
seen = mmcv.__version__
from .version import __version__
assert seen <= '2.1.0', f'MMCV=={seen} is used but incompatible.'
"""
QUANTIZATION = 'class QConfigHandler: pass\nBackendConfigs = {}\n'
MODELS = 'from mmrazor.structures.quantization import BackendConfigs, QConfigHandler\n'


class Stack:
    """A folder with tiny packages in place of the real ones."""

    def __init__(self, folder):
        self.folder = folder
        for name in ('torch', 'mmengine', 'mmpretrain'):
            self.write(name, '')
        self.write('mmrazor', RAZOR)
        self.write('mmrazor.version', "__version__ = '1.0.0'\n")
        self.write('mmrazor.structures', 'from .quantization import *\n')
        self.write('mmrazor.structures.quantization', QUANTIZATION)
        self.write('mmrazor.models', MODELS)
        self.write('mmrazor.engine', '')
        self.write('mmengine.runner', '')
        self.mmcv('2.3.6')

    def write(self, module, text):
        path = self.folder.joinpath(*module.split('.'))
        path.mkdir(parents=True, exist_ok=True)
        (path / '__init__.py').write_text(text)

    def mmcv(self, version):
        self.write('mmcv', f'__version__ = {version!r}\n')
        info = self.folder / 'onedl_mmcv-0.dist-info'
        info.mkdir(exist_ok=True)
        (info / 'METADATA').write_text(f'Name: onedl-mmcv\nVersion: {version}\n')

    def python(self, *arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            env={'PYTHONPATH': f'{self.folder}:{ROOT}'},
            capture_output=True,
            text=True,
        )

    def check(self, code):
        result = self.python('-c', f'import sys\n{code}')
        assert result.returncode == 0, result.stderr


@pytest.fixture
def stack(tmp_path):
    return Stack(tmp_path)


def test_the_installed_stack_keeps_its_versions():
    import mmcv

    from famkd.compat import import_mmrazor

    import_mmrazor()
    assert 'mmrazor.models' in sys.modules and 'mmrazor.engine' in sys.modules
    assert mmcv.__version__ == metadata.version('onedl-mmcv')
    assert import_mmrazor() is import_mmrazor()


def test_quantization_says_that_it_is_not_there():
    from famkd.compat import import_mmrazor

    import_mmrazor()
    from mmrazor.models.quantizers import TorchNativeQuantizer

    with pytest.raises(ImportError, match='needs an older PyTorch: see famkd.compat'):
        TorchNativeQuantizer(global_qconfig={})


def test_mmrazor_is_imported_after_famkd_and_prints_nothing():
    code = 'import famkd, mmrazor.models, mmrazor.engine, mmpretrain.datasets'
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')


def test_packages_of_other_tasks_are_imported_with_their_configs_only():
    code = """
import sys, famkd.models, famkd.engine, famkd.datasets
heavy = 'mmdet mmseg scipy.stats sklearn.tree matplotlib.pyplot'
assert not set(heavy.split()) & set(sys.modules), set(heavy.split()) & set(sys.modules)

from mmpretrain.models.utils import res_layer_extra_norm
assert res_layer_extra_norm.ResLayerExtraNorm is None
import mmdet.models
assert mmdet.registry.MODELS.get('ResLayerExtraNorm')

from mmrazor.models.task_modules.demo_inputs import default_demo_inputs as inputs
detector = object.__new__(mmdet.models.FasterRCNN)
found = inputs.get_default_demo_input_class(detector, None)
assert found is inputs.DefaultMMDetDemoInput
"""
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize('package', ['mmdet', 'mmseg'])
def test_mmcv_without_operators_is_named_by_those_who_need_them(stack, package):
    stack.write(package, '')
    stack.write(f'{package}.models', 'import mmcv._ext')
    stack.check(f"""
import famkd
try:
    import {package}.models
except ImportError as error:
    assert str(error).startswith('{package} needs the compiled operators of mmcv')
    assert 'make setup' in str(error)
else:
    raise AssertionError
""")


def test_segmentors_that_are_imported_first_are_whole():
    pytest.importorskip('mmseg')
    script = (
        'import mmseg.datasets, famkd.models, mmseg.models\n'
        'from mmdet.models.dense_heads import Mask2FormerHead\n'
        'from mmseg.models import decode_heads\n'
        'assert issubclass(decode_heads.Mask2FormerHead, Mask2FormerHead)\n'
    )
    result = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_plain_import_that_works_is_left_alone(stack):
    stack.write('mmrazor', RAZOR.replace("<= '2.1.0'", "== '2.3.6'"))
    stack.check("""
from famkd.compat import import_mmrazor
assert import_mmrazor() == ()
import mmrazor.models, mmrazor.structures.quantization as real
assert mmrazor.seen == '2.3.6'
assert mmrazor.models.QConfigHandler is real.QConfigHandler
""")


def test_mmcv_shows_an_older_version_only_while_mmrazor_is_imported(stack):
    stack.check("""
from famkd.compat import import_mmrazor
adapted, = import_mmrazor()
assert '2.3.6 was shown to it as 2.1.0' in adapted
import mmcv, mmrazor.models, mmrazor.structures.quantization as real
assert mmrazor.seen == '2.1.0' and mmcv.__version__ == '2.3.6'
assert mmrazor.models.QConfigHandler is real.QConfigHandler
""")


@pytest.mark.parametrize('first', ['mmrazor', 'mmrazor.models', 'mmrazor.structures'])
def test_any_part_of_mmrazor_can_be_the_first_import(stack, first):
    stack.write('mmrazor.structures.quantization', 'raise ImportError("torch.ao")\n')
    stack.check(f"""
import famkd
import {first}
import mmrazor.models, mmrazor.engine, mmcv
assert mmrazor.__file__ == {str(stack.folder / 'mmrazor/__init__.py')!r}
assert mmcv.__version__ == '2.3.6'
""")


def test_quantization_that_cannot_be_imported_is_left_empty(stack):
    stack.write('mmrazor.structures.quantization.config', '')
    stack.write(
        'mmrazor.structures.quantization',
        'from . import config\nraise ImportError("torch.ao")\n',
    )
    stack.check("""
from famkd.compat import import_mmrazor
assert len(import_mmrazor()) == 2
import mmrazor.models, mmrazor.engine, mmrazor.structures
assert not hasattr(mmrazor.structures, 'QConfigHandler')
for use in (mmrazor.models.QConfigHandler, lambda: mmrazor.models.BackendConfigs['a']):
    try:
        use()
    except ImportError as error:
        assert 'needs an older PyTorch: see famkd.compat' in str(error), error
    else:
        raise AssertionError
""")


def test_mmrazor_that_is_not_installed_is_not_found():
    from famkd.compat import find_adapted

    assert find_adapted('mmrazor', path=[]) is None


def test_other_failure_is_reported_and_leaves_nothing_changed(stack):
    stack.write('mmrazor.structures.quantization', 'raise ImportError("torch.ao")\n')
    stack.write('mmrazor.models', 'raise ImportError("libGL.so.1")\n')
    stack.check("""
from famkd.compat import import_mmrazor
try:
    import_mmrazor()
except ImportError as error:
    assert str(error) == 'libGL.so.1', error
else:
    raise AssertionError
import mmcv
assert mmcv.__version__ == '2.3.6'
""")


def test_failed_attempt_can_be_repeated(stack):
    stack.write('mmrazor', RAZOR + "raise AssertionError('MMEngine==9 is wrong.')\n")
    stack.check("""
from famkd.compat import import_mmrazor
for _ in range(2):
    try:
        import_mmrazor()
    except ImportError as error:
        assert str(error) == 'MMEngine==9 is wrong.', error
    else:
        raise AssertionError
""")


@pytest.mark.parametrize(
    'module, install',
    [
        ('torch', 'torch>=2.4'),
        ('mmengine', 'onedl-mmengine>=0.10.12'),
        ('mmcv', 'onedl-mmcv>=2.3.6'),
        ('mmpretrain', 'onedl-mmpretrain>=1.3.6'),
        ('mmrazor', 'mmrazor>=1.0.0'),
    ],
)
def test_missing_package(stack, module, install):
    stack.check(f"""
sys.modules[{module!r}] = None
from famkd.compat import import_mmrazor
try:
    import_mmrazor()
except ImportError as error:
    assert {module + ' is not installed'!r} in str(error), error
    assert "pip install '{install}'" in str(error), error
else:
    raise AssertionError
""")


@pytest.mark.parametrize(
    'module, too_old, oldest',
    [
        ('torch', '2.3.1', '2.4'),
        ('mmengine', '0.10.7', '0.10.12'),
        ('mmcv', '2.2.0', '2.3.6'),
        ('mmpretrain', '1.2.0', '1.3.6'),
        ('mmrazor', '1.0.0rc2', '1.0.0'),
    ],
)
def test_floors(monkeypatch, module, too_old, oldest):
    from famkd import compat

    def version(name):
        if name != compat.DISTRIBUTIONS[module][-1]:  # the one with the old name
            raise metadata.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(compat.metadata, 'version', version)
    for installed in (oldest, f'{oldest}+cu128', '99.0'):  # noqa: B007 (in version)
        compat.check_stack()
    installed = too_old
    with pytest.raises(ImportError) as error:
        compat.check_stack()
    assert str(error.value).startswith(
        f'famkd needs {module} >= {oldest}, but {module} is version {too_old}. '
    )


def test_floors_are_those_of_the_docs_and_the_requirements():
    from famkd.compat import DISTRIBUTIONS, REQUIRED

    page = (ROOT / 'docs/install.md').read_text()
    required = ''.join(
        (ROOT / 'requirements' / name).read_text()
        for name in ('runtime.txt', 'mminstall.txt')
    )
    for module, oldest in REQUIRED.items():
        name = DISTRIBUTIONS[module][0]
        assert re.search(rf'^{name}[=>]={oldest}(,|$)', required, re.MULTILINE), name
        name = 'PyTorch' if module == 'torch' else f'`{name}`'
        assert re.search(rf'{name}.*\| {oldest} \|$', page, re.MULTILINE), name


def test_mmcv_too_old_ends_the_report_with_one_line(stack):
    stack.mmcv('1.7.2')
    result = stack.python('-m', 'famkd.compat')
    assert result.returncode == 1
    assert result.stderr.startswith(
        'error: famkd needs mmcv >= 2.3.6, but mmcv is version 1.7.2. Install it: '
    )
    assert result.stderr.count('\n') == 1
    assert 'mmcv         1.7.2' in result.stdout


def test_script_that_imports_mmrazor_first_is_run(stack, tmp_path):
    folder = tmp_path / 'scripts'
    folder.mkdir()
    (folder / 'beside.py').write_text('')
    script = folder / 'train.py'
    script.write_text(
        'import sys, mmrazor, beside\n'
        "if __name__ == '__main__':\n"
        '    print(sys.argv)\n'
        '    sys.exit(3)\n'
    )
    result = stack.python('-m', 'famkd.compat', script, 'recipe.py', '--amp')
    assert (result.returncode, result.stderr) == (3, '')
    assert result.stdout == f"['{script}', 'recipe.py', '--amp']\n"


def test_report(stack):
    result = stack.python('-m', 'famkd.compat')
    assert (result.returncode, result.stderr) == (0, '')
    assert 'mmcv         2.3.6' in result.stdout
    assert '- MMRazor accepts mmcv up to 2.1.0: 2.3.6 was shown' in result.stdout
