"""Every code block of the documents: configs resolve, commands and options exist.

A block that needs more has a comment before it that names its test:
``<!-- trained in TEST -->``.
"""

import argparse
import ast
import importlib.util
import re
import runpy
import shlex
import subprocess
import sys
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config, utils

import famkd.models  # noqa: F401 (registers the networks)
import famkd.registry  # noqa: F401 (lets a config inherit from 'famkd::...')
from famkd.apis.config_checks.problems import config_problems
from famkd.apis.paths import config_file
from famkd.models.algorithms.networks import build_network

markdown_it = pytest.importorskip('markdown_it')

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'SECURITY.md')),
    *sorted((ROOT / 'docs').glob('*.md')),
    ROOT / 'configs/README.md',
    ROOT / 'benchmarks/README.md',
    ROOT / 'famkd/runtime/README.md',
]
# Those after the first two are not run.
LANGUAGES = 'python', 'bash', '', 'bibtex', '{eval-rst}', '{toctree}'
# Programs that are not famkd's.
OTHERS = {'mim', 'tar', 'tensorboard'}
# Prints each command instead of running it: bash itself knows loops, variables, braces
# and comments. `ls` is real.
BASH = r"""
record() { printf '%q ' "$@"; echo; }
command_not_found_handle() { record "$@"; }
source() { :; }
ls() { /bin/ls "$@"; }
for script in tools/*.sh; do eval "$script() { record $script \"\$@\"; }"; done
PATH=/nowhere
set -u
"""


class ParsedError(Exception):
    """A tool has understood its command line."""


def blocks(language):
    """The code of the blocks, by ``page:line``, but for those of other tests."""
    for page in PAGES:
        elsewhere = False
        for token in markdown_it.MarkdownIt().parse(page.read_text(encoding='utf-8')):
            assert token.type != 'fence' or token.info in LANGUAGES
            if token.type == 'fence' and token.info == language and not elsewhere:
                name = f'{page.relative_to(ROOT)}:{token.map[0] + 1}'
                yield pytest.param(token.content, id=name)
            elsewhere = trained_in(token.content)


def trained_in(comment):
    """Whether a comment names a test, which then has to be there."""
    test = re.match(r'<!-- trained in (\S+) -->', comment)
    return test and (ROOT / test[1]).is_file()


@pytest.fixture(scope='module', autouse=True)
def read_indexes_once():
    """MMEngine reads all model indexes for every ``package::config``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, 'load', cache(utils.load))
        yield


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of recipes, two below ``_base_``, with a data set of the user's own."""
    folder = tmp_path / 'METHOD/DATASET'
    folder.mkdir(parents=True)
    (tmp_path / '_base_').symlink_to(ROOT / 'configs/_base_')
    bases = dict(mine='schedules/bccd_2k', mine_data='datasets/coco_detection_bs8')
    for name, base in bases.items():
        (folder / f'{name}.py').write_text(f"_base_ = 'famkd::_base_/{base}.py'\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def student(folder):
    """A student with its checkpoint, an image, and a network as an ONNX file."""
    (folder / 'student.py').write_text(
        "_base_ = 'famkd::vanilla/cifar100/resnet20_1xb64_cifar100.py'\n"
    )
    network = build_network(dict(cfg_path='student.py'))
    meta = dict(dataset_meta=dict(classes=[f'class {i}' for i in range(100)]))
    torch.save(dict(state_dict=network.state_dict(), meta=meta), 'student.pth')
    cv2.imwrite('image.jpg', np.zeros((32, 32, 3), np.uint8))
    onnx = pytest.importorskip('onnx')
    values = [
        onnx.helper.make_tensor_value_info(name, 1, ['N', 3, 'H', 'W'])
        for name in ('pixels', 'probabilities')
    ]
    node = onnx.helper.make_node('Softmax', ['pixels'], ['probabilities'], axis=1)
    graph = onnx.helper.make_graph([node], 'student', values[:1], values[1:])
    opset = [onnx.helper.make_opsetid('', 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, 'student.onnx')


def is_config(code):
    """Whether a block only assigns, as configs do."""
    return all(isinstance(node, ast.Assign) for node in ast.parse(code).body)


PYTHON = list(blocks('python'))
CONFIGS = [block for block in PYTHON if is_config(block.values[0])]
PROGRAMS = [block for block in PYTHON if block not in CONFIGS]


@pytest.mark.parametrize('code', CONFIGS)
def test_configs_are_right(code, folder):
    (folder / 'recipe.py').write_text(code, encoding='utf-8')
    assert not list(config_problems(Config.fromfile('recipe.py')))


@pytest.mark.parametrize('code', PROGRAMS)
def test_programs_run(code, student):
    exec(compile(code, 'block', 'exec'), {})


@pytest.mark.parametrize('code', blocks('bash'))
def test_commands_and_options_exist(code, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = commands(code)
    assert found
    for command in found:
        check(command, monkeypatch)


def commands(code):
    """The commands of a block, each a list of words."""
    result = subprocess.run(
        ['bash', '-c', BASH + code], capture_output=True, text=True, check=True
    )
    assert not result.stderr
    return [shlex.split(line) for line in result.stdout.splitlines()]


def check(command, monkeypatch):
    """Fails where a command, a tool, an option or a config is not there."""
    name, *words = command
    for word in words:
        if re.search(r'^configs/|::', word):
            config_file(word)
    if name == 'make':
        assert f'\n{words[0]}:' in (ROOT / 'Makefile').read_text()
    elif name == 'pip':
        assert words[0] == 'install'
        check_requirements(words[1:])
    elif name == 'python' and words[0] == '-m':
        assert importlib.util.find_spec(words[1])
    elif name == 'python':
        check_arguments(*words, monkeypatch=monkeypatch)
    elif name.endswith('.sh'):
        check_script(name, words, monkeypatch)
    else:
        assert name in OTHERS


def check_requirements(words):
    """Files and extras of famkd in the arguments of ``pip install``."""
    setup = ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    for option, value in zip(words, words[1:], strict=False):
        if option == '-r':
            assert (ROOT / value).is_file()
        if option == '-e':
            extras = re.fullmatch(r'\.\[(.+)\]', value)[1].split(',')
            assert {*extras} <= {*setup['options.extras_require']}


def check_script(name, words, monkeypatch):
    """What a launcher hands to train.py or test.py."""
    usage = re.search(r'usage: \$0 (.+) \[', (ROOT / name).read_text())[1].split()
    assert len(words) >= len(usage)
    places = [usage.index(word) for word in ('CONFIG', 'CKPT') if word in usage]
    arguments = [words[place] for place in places] + words[len(usage) :]
    tool = 'tools/train.py' if 'train' in name else 'tools/test.py'
    check_arguments(tool, *arguments, monkeypatch=monkeypatch)


def check_arguments(tool, *words, monkeypatch):
    """Runs a tool as far as it has read its command line."""

    def parse(parser, *arguments):
        parse_args(parser, *arguments)
        raise ParsedError

    parse_args = argparse.ArgumentParser.parse_args
    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_args', parse)
        patch.setattr(sys, 'argv', [tool, *words])
        with pytest.raises(ParsedError):
            runpy.run_path(str(ROOT / tool), run_name='__main__')
