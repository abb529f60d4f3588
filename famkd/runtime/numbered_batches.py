"""Batches that know their number in the training.

The order of the images follows from the seed of the sampler, and what a data-loading
worker draws at random (crops, flips) from the number of the batch. So a training that
is resumed at some iteration gets the data of one that never stopped, although its
workers are new and nothing of the data before is loaded.
"""

import itertools
import random
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info


class NumberedBatches:
    """A batch sampler whose batches are :class:`NumberedBatch`.

    Args:
        batches: The batch sampler.
        number: Number of the first batch. Defaults to 0.
    """

    def __init__(self, batches: Iterable[list], number: int = 0) -> None:
        self.batches = batches
        self.number = number
        self.skipped = 0  # in the pass over the data that begins next

    def __getattr__(self, name: str) -> Any:
        return getattr(self.batches, name)

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator['NumberedBatch']:
        skipped, self.skipped = self.skipped, 0
        for batch in itertools.islice(self.batches, skipped, None):
            numbered = NumberedBatch(batch)
            numbered.number, self.number = self.number, self.number + 1
            yield numbered

    def skip(self, count: int) -> None:
        """Has the next pass over the data leave out batches, without loading them.

        Args:
            count: How many from its beginning. What follows is numbered as before.
        """
        self.skipped = count


class NumberedBatch(list):
    """Indices of the images of a batch; ``number`` is that of the batch."""

    number: int


def number_batches(
    loader: DataLoader, seed: tuple[int, ...], number: int = 0
) -> NumberedBatches | None:
    """Numbers the batches of a data loader, and seeds its workers by the numbers.

    Without workers (``num_workers=0``) the random numbers stay those of the process.

    Args:
        loader: The data loader, changed in place.
        seed: What else the random numbers follow from, such as the seed of the
            training and the number of the process.
        number: Number of the first batch. Defaults to 0.

    Returns:
        NumberedBatches | None: The loader's batch sampler from now on; None, and
        nothing is changed, if the loader has none or its images no index.
    """
    if loader.batch_sampler is None or isinstance(loader.dataset, IterableDataset):
        return None
    batches = NumberedBatches(loader.batch_sampler, number)
    # PyTorch lets nobody set it, lest a sampler disagrees with it, as this cannot.
    vars(loader)['batch_sampler'] = batches
    # PyTorch's way for a dataset to load a batch at once.
    loader.dataset.__getitems__ = partial(_load, loader.dataset, seed)
    return batches


def _load(dataset: Dataset, seed: tuple[int, ...], batch: NumberedBatch) -> list:
    if get_worker_info() is not None:
        numbers = np.random.SeedSequence((*seed, batch.number)).generate_state(3)
        random.seed(int(numbers[0]))
        np.random.seed(numbers[1])
        torch.manual_seed(int(numbers[2]))
    return [dataset[index] for index in batch]
