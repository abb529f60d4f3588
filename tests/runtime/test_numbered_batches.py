import random
from itertools import islice

import numpy as np
import pytest
import torch
from by_parity import ByParity
from mmengine.dataset import InfiniteSampler
from torch.utils.data import DataLoader, Dataset, IterableDataset

from famkd.runtime.numbered_batches import number_batches


class Draws(Dataset):
    """What each generator draws for an image; notes which ones are loaded."""

    def __init__(self):
        self.loaded = []

    def __len__(self):
        return 7

    def __getitem__(self, index):
        self.loaded.append(index)
        return index, random.random(), np.random.rand(), torch.rand(()).item()


def make_loader(workers, endless=False, **options):
    dataset = Draws()
    if endless:
        sampler = InfiniteSampler(dataset, seed=0)
        options['batch_sampler'] = ByParity(sampler, 2, drop_last=False)
    else:
        options['batch_size'] = 2
    return DataLoader(
        dataset,
        num_workers=workers,
        collate_fn=list,
        persistent_workers=workers > 0,
        **options,
    )


@pytest.mark.parametrize('workers', [1, 2])
def test_draws_follow_from_the_number(workers):
    """They go on from epoch to epoch, and are those of any number of workers."""
    loader = make_loader(workers)
    number_batches(loader, seed=(3, 0))
    first, second = list(loader), list(loader)
    assert [index for batch in first for index, *_ in batch] == list(range(7))
    draws = [draw for batch in first + second for _, *draws in batch for draw in draws]
    assert len(set(draws)) == len(draws) == 2 * 7 * 3

    resumed = make_loader(3 - workers)
    batches = number_batches(resumed, seed=(3, 0), number=6)
    batches.skip(2)  # of an epoch of 4
    assert list(resumed) == second[2:]
    other = make_loader(workers)
    number_batches(other, seed=(3, 1))
    assert list(other) != first


@pytest.mark.parametrize('workers', [0, 1])
def test_an_endless_sampler_goes_on_without_loading(workers):
    loader = make_loader(workers, endless=True)
    number_batches(loader, seed=(3, 0))
    expected = list(islice(loader, 9))[6:]

    loader = make_loader(workers, endless=True)
    batches = number_batches(loader, seed=(3, 0), number=6)
    batches.skip(6)
    random.seed(0)
    resumed = list(islice(loader, 3))
    if workers:
        assert resumed == expected
    else:
        indices = [[index for index, *_ in batch] for batch in expected]
        assert [[index for index, *_ in batch] for batch in resumed] == indices
        assert loader.dataset.loaded == sum(indices, [])


def test_without_workers_the_generators_are_those_of_the_process():
    loader = make_loader(0)
    number_batches(loader, seed=(3, 0))
    random.seed(5)
    drawn = [draw for batch in loader for _, draw, *_ in batch]
    random.seed(5)
    assert drawn == [random.random() for _ in range(7)]


def test_what_has_no_index_is_left_alone():
    class Stream(IterableDataset):
        def __iter__(self):
            yield from range(3)

    loader = DataLoader(Stream(), batch_size=1)
    assert number_batches(loader, seed=(3, 0)) is None
    assert [x.item() for x in loader] == [0, 1, 2]
