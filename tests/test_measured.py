"""CIFAR-100 in the model zoo and the table of methods: as the logs say."""

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

import pytest

ROOT = Path(__file__).parents[1]


def last_accuracy(run):
    """Top-1 of the last validation in the logs of a training, and its epoch."""
    lines = [
        json.loads(line)
        for path in sorted(run.glob('*/vis_data/scalars.json'))
        for line in path.read_text().splitlines()
    ]
    last = [line for line in lines if 'accuracy/top1' in line][-1]
    return last['accuracy/top1'], last['step']


@pytest.fixture(scope='module')
def accuracies():
    """Recipe -> the accuracies of its trainings, all of 24 epochs."""
    found = defaultdict(list)
    for run in sorted((ROOT / 'docs/runs/cifar100_24e').iterdir()):
        accuracy, epoch = last_accuracy(run)
        assert epoch == 24, run
        found[run.name.partition('_seed')[0]].append(accuracy)
    return found


def test_model_zoo(accuracies):
    text = (ROOT / 'famkd/apis/measured.csv').read_text()
    rows = {
        row['recipe']: (row['value'], row['deviation'], int(row['runs']))
        for row in csv.DictReader(text.splitlines())
        if row['protocol'] == '24 epochs'
    }
    assert rows == {
        recipe: (
            f'{mean(values):.2f}',
            f'{stdev(values):.2f}' if len(values) > 1 else '',
            len(values),
        )
        for recipe, values in accuracies.items()
    }


def test_gains_in_the_table_of_methods(accuracies):
    alone = mean(accuracies['resnet20_1xb128-24e_cifar100'])
    pair = 'resnet56_resnet20_1xb128-24e_cifar100'
    page = (ROOT / 'docs/methods.md').read_text()
    rows = re.findall(r'([+-]\d+\.\d) \(i\).*?\| \[(\w+)\]', page)
    told = {method.replace('_', '-'): gain for gain, method in rows}
    assert told == {
        recipe.removesuffix(f'_{pair}'): f'{mean(values) - alone:+.1f}'
        for recipe, values in accuracies.items()
        if recipe.endswith(f'_{pair}') and not re.match('famkd-(?!kd|l2l)', recipe)
    }
