"""A training that takes a fraction of a second, with MMEngine alone."""

import random

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS
from torch import nn
from torch.utils.data import Dataset

from famkd.runtime import install

install()


@DATASETS.register_module()
class TinyImages4x4(Dataset):
    """Images of 4x4, the same in every process.

    Args:
        length: How many.
        noise: Whether each gets noise drawn from every generator of random numbers.
    """

    def __init__(self, length: int, noise: bool = False) -> None:
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randn(length, 3, 4, 4, generator=generator)
        self.noise = noise

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        image = self.images[index]
        if self.noise:
            image = image + random.random() + np.random.rand() + torch.rand(1)
        return dict(inputs=image, label=index % 2)


@MODELS.register_module()
class TinyNetwork(BaseModel):
    """A convolution with BN, two linear layers, and a loss of each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.label = nn.Linear(4, 2)
        self.size = nn.Linear(4, 1)

    def forward(self, inputs, label, mode='tensor'):
        x = self.bn(self.conv(torch.stack(inputs))).relu().mean((2, 3))
        scores = self.label(x)
        if mode == 'predict':
            return list(scores)
        return dict(
            loss_label=nn.functional.cross_entropy(scores, torch.tensor(label)),
            loss_size=self.size(x).square().mean(),
        )

    def describe_loss(self, name):
        return {'loss_size': 'of layer size'}.get(name, '')


@METRICS.register_module()
class Score(BaseMetric):
    """The mean of what the network predicts."""

    def process(self, data_batch, data_samples):
        self.results += [sample.mean().item() for sample in data_samples]

    def compute_metrics(self, results):
        return dict(score=float(np.mean(results)))


class Scores(Hook):
    """Gives the validations these accuracies, whatever they are."""

    priority = 'VERY_HIGH'

    def __init__(self, *scores):
        self.scores = scores

    def after_val_epoch(self, runner, metrics):
        metrics['score'] = self.scores[runner.epoch - 1]


def config_of(content: dict) -> Config:
    """The config, saved as it is: to format some takes YAPF half a minute."""
    return Config(content, format_python_code=False)


def training(**changes) -> dict:
    """Config of 2 epochs of 3 iterations."""
    return {
        'model': dict(type='TinyNetwork'),
        'randomness': dict(seed=0),
        'train_dataloader': dict(
            batch_size=4,
            num_workers=0,
            dataset=dict(type='TinyImages4x4', length=12),
            sampler=dict(type='DefaultSampler', shuffle=True),
        ),
        'optim_wrapper': dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        'train_cfg': dict(by_epoch=True, max_epochs=2),
        **changes,
    }


def validation(length: int = 4) -> dict:
    """What a config needs for a validation after every epoch."""
    return dict(
        val_dataloader=dict(
            batch_size=4,
            dataset=dict(type='TinyImages4x4', length=length),
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        val_evaluator=dict(type='Score'),
        val_cfg=dict(),
    )
