"""Trainings of a tiny network, which has nothing to do with distillation."""

import copy
import itertools

import pytest
from tiny_training import config_of, training


@pytest.fixture
def make_config(tmp_path):
    """Function (**changes): config of 2 epochs of 3 iterations.

    Changes are merged into it.
    """
    count = itertools.count()  # Trainings of one name share their log.

    def make(**changes):
        name = f'{tmp_path.name}_{next(count)}'
        config = config_of(training(work_dir=str(tmp_path), experiment_name=name))
        config.merge_from_dict(copy.deepcopy(changes))  # it takes keys out
        return config

    return make
