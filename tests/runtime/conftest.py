"""Trainings of a tiny network, which has nothing to do with distillation."""

import pytest
from tiny_training import training
from training_fixtures import config_maker


@pytest.fixture
def make_config(tmp_path):
    """Function (**changes): config of 2 epochs of 3 iterations.

    Changes are merged into it.
    """
    return config_maker(tmp_path, training)
