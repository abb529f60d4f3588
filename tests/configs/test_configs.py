"""Every config loads, builds, trains two iterations and evaluates, on random images."""

import math
from functools import cache
from pathlib import Path

import pytest
import tiny_images  # noqa: F401
from mmengine.config import Config, utils
from mmengine.runner import Runner

CONFIGS = Path(__file__).parents[2] / 'configs'
# Those of detectors have a test of their own.
RECIPES = sorted(
    str(path.relative_to(CONFIGS))
    for path in CONFIGS.rglob('*.py')
    if not {'_base_', 'coco', 'bccd'} & set(path.relative_to(CONFIGS).parts)
)
# Sizes of images, and those here: filters and maps are a quarter or less.
SMALLER = {32: 16, 224: 32, 256: 36}


def shrink(config):
    """Two batches of two small random images, and no checkpoint of a teacher."""
    for dataloader in (config.train_dataloader, config.val_dataloader):
        pipeline = [
            step
            for step in dataloader.dataset.pipeline
            if not step['type'].endswith('LoadImageFromFile')  # they are in memory
        ]
        for step in pipeline:
            for key in {'scale', 'crop_size'} & set(step):
                step[key] = SMALLER[step[key]]
        dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
        dataloader.dataset = dict(
            type='TinyImages', length=4, size=16, num_classes=2, pipeline=pipeline
        )
    config.val_dataloader.dataset.length = 2
    if 'teacher' in config.model:
        config.model.update(teacher_ckpt=None, allow_random_teacher=True)
        if 'input_shape' in config.model:
            channels, height, width = config.model.input_shape
            config.model.input_shape = (channels, SMALLER[height], SMALLER[width])
    config.train_cfg.max_epochs = 1
    config.default_hooks.checkpoint = None
    config.default_hooks.logger.interval = 1
    config.visualizer.vis_backends = []
    config.log_level = 'ERROR'


@pytest.fixture(scope='module', autouse=True)
def read_model_indexes_once():
    # MMEngine reads all model indexes of a package for each `package::config`.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, 'load', cache(utils.load))
        yield


@pytest.mark.parametrize('recipe', RECIPES)
def test_config_trains(recipe, tmp_path):
    config = Config.fromfile(CONFIGS / recipe)
    if 'model' not in config:
        pytest.skip('a base of other configs')
    assert config.default_hooks.nonfinite.action == 'stop'
    assert config.default_hooks.stop_signal.type == 'StopSignalHook'
    shrink(config)
    config.work_dir = str(tmp_path)
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
    log = runner.message_hub.log_scalars
    losses = {name: log[name].data[0] for name in log if 'loss' in name}
    assert 'train/loss' in losses
    for name, values in losses.items():
        assert all(math.isfinite(value) for value in values), name
    if 'teacher' in config.model:
        assert any(name.startswith('train/distill.loss') for name in losses)
    assert 'val/accuracy/top1' in log

    # DistributedDataParallel waits for every gradient.
    model = runner.model.train()
    batch = model.data_preprocessor(next(iter(runner.train_dataloader)), True)
    model.parse_losses(model(**batch, mode='loss'))[0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None or not parameter.requires_grad, name
