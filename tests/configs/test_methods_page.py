"""docs/methods.md: what its table says of the recipes is so."""

import re
from itertools import chain
from pathlib import Path

import pytest
import torch

from famkd.models.distillers.stage_distiller import build_part

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
PAGE = (ROOT / 'docs/methods.md').read_text(encoding='utf-8')
NAME, IDEA, C, D, S, T, PARAMETERS, COST, PUBLISHED, HERE, RECIPE, PAPER = range(12)
ROWS = [
    [cell.strip() for cell in line.strip('|').split('|')]
    for line in PAGE.splitlines()
    if line.startswith('| **')
]
TASKS = dict.fromkeys(['coco', 'bccd'], D) | dict.fromkeys(['cityscapes', 'camvid'], S)
# Channels and sizes of ResNet56 and ResNet20; those of scenes have one stage more.
SHAPES = dict(layer1=(16, 32), layer2=(32, 16), layer3=(64, 8), layer4=(64, 4))
OTHERS = {'demo', 'vanilla', 'ablations', '_base_'}


def link(row):
    """The recipe that a row links to, as a path below ``configs/``."""
    target = re.search(r'\]\(([^)]+)\)', row[RECIPE])[1]
    return target.removeprefix('../configs/')


def method(row):
    """The name of a method in the names of its recipes; None of a loss on logits."""
    return None if link(row).startswith('#') else link(row).split('/')[0]


METHODS = [row for row in ROWS if method(row)]
IDS = [method(row) for row in METHODS]


def recipes(name):
    """The recipes of a method, of all data."""
    file = f'{name.replace("_", "-")}_*.py'
    small = (CONFIGS.glob(f'{data}/{file}') for data in ('bccd', 'camvid'))
    return [*CONFIGS.glob(f'{name}/*/*.py'), *chain(*small)]


def test_every_method_with_recipes_has_a_row():
    folders = {
        path.name
        for path in CONFIGS.iterdir()
        if path.is_dir() and not any(path.glob('*.py'))
    }
    assert set(IDS) == folders - OTHERS
    assert all(len(row) == 12 for row in ROWS)


@pytest.mark.parametrize('row', METHODS, ids=IDS)
def test_recipe_is_there_and_so_are_the_tasks(row):
    assert (CONFIGS / link(row)).is_file()
    paths = recipes(method(row))
    tasks = {TASKS.get(path.parent.name, C) for path in paths}
    assert {task for task in (C, D, S) if row[task] == '●'} == tasks
    transformers = re.compile('deit|swin|segformer')
    assert (row[T] == '●') == any(transformers.search(path.stem) for path in paths)


@pytest.mark.parametrize('row', METHODS, ids=IDS)
def test_costs_are_those_of_the_benchmarks(row):
    text = (ROOT / 'benchmarks/README.md').read_text(encoding='utf-8')
    line = rf'^\| {method(row)}(?:, .*?)? \| (.*?) \| \d+% \| (.*?) \|$'
    measured = re.search(line, text, re.MULTILINE)
    if measured:  # others are measured elsewhere, or not
        assert row[COST] == f'{float(measured[1]):.1f}, {measured[2]}'


@pytest.mark.parametrize('row', METHODS, ids=IDS)
def test_parameters_are_those_of_the_distiller(row, load):
    config = load(link(row)).model.distiller
    if 'prompts' in config:
        config.prompts = None
    distiller = build_part(config)
    if config.type != 'ConfigurableDistiller':
        shapes = [
            (256, 8)  # of an FPN
            if stage.data_idx is not None
            else SHAPES.get(stage.source.removeprefix('backbone.'), (64, 1))
            for stage in distiller.student_stages
        ]
        maps = [torch.zeros(1, c, size, size) for c, size in shapes]
        distiller.build(maps, maps)
    trained = sum(p.numel() for p in distiller.parameters() if p.requires_grad)
    assert row[PARAMETERS] == f'{trained:,}'


def test_what_a_loss_of_logits_links_to_is_on_the_page():
    headings = re.findall(r'^## (.+)$', PAGE, re.MULTILINE)
    anchors = {'#' + heading.lower().replace(' ', '-') for heading in headings}
    logits = [row for row in ROWS if not method(row)]
    assert {link(row) for row in logits} <= anchors
    assert all(row[PARAMETERS] == '0' for row in logits)
