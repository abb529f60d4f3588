"""What an installed famkd is, away from its repository."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    *('famkd', 'configs', 'tools', 'requirements', 'README.md', 'LICENSE'),
    *('setup.py', 'setup.cfg', 'pyproject.toml', 'MANIFEST.in', 'model-index.yml'),
    *('Makefile',),
)


def python(code, cwd, *path):
    """Runs code where only these folders, and site-packages, can be imported."""
    env = dict(os.environ, PYTHONPATH=':'.join(map(str, path)))
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build(kind, source, folder):
    """Builds with what is installed: no network. Returns the file's path."""
    folder.mkdir(exist_ok=True)
    code = f'from setuptools import build_meta as b; b.build_{kind}({str(folder)!r})'
    python(code, source, source)
    return next(folder.iterdir())


@pytest.fixture(scope='module')
def copy(tmp_path_factory):
    """The sources, without what is built or linked."""
    folder = tmp_path_factory.mktemp('copy')
    skip = shutil.ignore_patterns('.mim', '__pycache__', '*.egg-info')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=skip)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope='module')
def sdist(copy, tmp_path_factory):
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp('sdist')
    with tarfile.open(build('sdist', copy, folder / 'dist')) as archive:
        archive.extractall(folder)
    return next(path for path in folder.iterdir() if path.name != 'dist')


@pytest.fixture(scope='module')
def site(sdist, tmp_path_factory):
    """A folder into which the wheel, built from the sdist, is installed."""
    folder = tmp_path_factory.mktemp('site')
    wheel = build('wheel', sdist, folder / 'dist')
    subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index']
        + ['--disable-pip-version-check', '--target', folder / 'site', wheel],
        check=True,
    )
    return folder / 'site'


def files(folder):
    return {
        path.relative_to(folder)
        for path in folder.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


def test_wheel_carries_configs_and_tools(site):
    for name in ('configs', 'tools'):
        assert files(site / 'famkd' / '.mim' / name) == files(ROOT / name)
    assert (site / 'famkd' / '.mim' / 'model-index.yml').is_file()


def test_wheel_carries_the_whole_package(site):
    expected = {path for path in files(ROOT / 'famkd') if '.mim' not in path.parts}
    installed = {path for path in files(site / 'famkd') if '.mim' not in path.parts}
    assert installed == expected


def test_recipe_of_the_docs_works_in_another_project(site, tmp_path):
    page = (ROOT / 'docs/classification.md').read_text()
    recipe = re.search(r'```python\n(_base_ = \[.*?)```', page, re.DOTALL).group(1)
    assert recipe.count('\n') < 30
    (tmp_path / 'recipe.py').write_text(recipe)
    code = f"""
import torch
import famkd.registry
assert famkd.__file__.startswith({str(site)!r}), famkd.__file__
from mmengine.config import Config
from mmengine.hub import get_model
from mmengine.registry import METRICS, MODELS, DefaultScope
from mmpretrain.structures import DataSample
cfg = Config.fromfile('recipe.py')  # its bases are famkd's
cfg.model.update(teacher_ckpt=None, allow_random_teacher=True)
with DefaultScope.overwrite_default_scope(cfg.default_scope):
    model = MODELS.build(cfg.model)
    assert METRICS.build(cfg.val_evaluator)
inputs = list(torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8))
samples = [DataSample().set_gt_label(1), DataSample().set_gt_label(2)]
data = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
losses = model(**data, mode='loss')
assert sum('distill.loss' in name for name in losses) == 3, losses
student = get_model(cfg.model.architecture.cfg_path)
assert student.head.fc.out_features == 100
"""
    python(code, tmp_path, site)


def test_editable_install_links_configs_and_tools(copy, tmp_path):
    build('editable', copy, tmp_path / 'dist')
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (copy / 'famkd' / '.mim' / name).resolve() == (copy / name).resolve()


def test_sdist_carries_what_the_set_up_needs(sdist):
    for name in SOURCES:
        assert (sdist / name).exists()


def test_every_requirement_is_an_extra_or_needed_and_is_pinned():
    config = ConfigParser()
    config.read(ROOT / 'setup.cfg')
    extras = set(config['options.extras_require'])
    folder = ROOT / 'requirements'
    stems = {path.stem for path in folder.glob('*.txt')} - {'mminstall'}
    named = stems | {'mim'}
    assert named == extras | {'runtime', 'constraints'}
    for extra, source in config['options.extras_require'].items():
        name = 'mminstall' if extra == 'mim' else extra
        assert source == f'file: requirements/{name}.txt'

    pins = [
        Requirement(line)
        for line in (folder / 'constraints.txt').read_text().splitlines()
        if not line.startswith('#')
    ]
    for path in {*folder.glob('*.txt')} - {folder / 'constraints.txt'}:
        for line in path.read_text().splitlines():
            if not line.startswith('#'):
                wanted = Requirement(line)
                same = [pin for pin in pins if pin.name == wanted.name]
                assert same, f'{path.name}: {line} is not in constraints.txt'
                for pin in same:
                    (version,) = pin.specifier
                    assert wanted.specifier.contains(version.version), line


def test_all_places_name_the_same_pythons():
    found = ConfigParser()
    found.read(ROOT / 'setup.cfg')
    classifiers = found['metadata']['classifiers']
    minors = [int(m) for m in re.findall(r'Python :: 3\.(\d+)', classifiers)]
    oldest, newest = minors[0], minors[-1]
    assert minors == list(range(oldest, newest + 1))
    assert found['options']['python_requires'] == f'>=3.{oldest},<3.{newest + 1}'
    workflow = (ROOT / '.github/workflows/ci.yml').read_text()
    assert 'python: ' + str([f'3.{minor}' for minor in minors]) in workflow
    set_up = (ROOT / 'tools/dev/set_up.py').read_text()
    assert f'OLDEST, NEWEST = (3, {oldest}), (3, {newest})' in set_up
    for page in ('README.md', 'docs/start.md', 'docs/install.md'):
        assert f'3.{oldest} to 3.{newest}' in (ROOT / page).read_text(), page


def test_importing_famkd_imports_nothing_else(site, tmp_path):
    code = """
import sys
before = set(sys.modules)
import famkd
print(sorted(set(sys.modules) - before))
"""
    assert python(code, tmp_path, site).strip() == "['famkd']"


def test_layers_need_torch_alone(site, tmp_path):
    code = """
import sys
for name in ('mmengine', 'mmcv', 'mmpretrain', 'mmrazor', 'mmdet', 'mmseg'):
    sys.modules[name] = None
import torch
from famkd.layers import FrequencyAttention, LocalAttention
x = torch.rand(1, 4, 8, 8)
assert FrequencyAttention(4, 6, 8)(x).shape == (1, 6, 8, 8)
assert LocalAttention(4)(x).shape == x.shape
"""
    python(code, tmp_path, site)
