"""A new-style config, with classes as types, in the tools."""

from pathlib import Path

import pytest
from mmengine.config import Config

DEMO = Path(__file__).parents[2] / 'configs/demo'
RECIPE = DEMO / 'famkd_resnet20_resnet8_digits_new_style.py'
TINY = [
    'model.teacher_ckpt=None',
    'model.allow_random_teacher=True',
    'train_dataloader.batch_size=5',
    'train_dataloader.dataset.num_per_class=1',
    'test_dataloader.dataset.num_per_class=1',
    'train_cfg.max_epochs=1',
]


def test_classes_as_types_train_and_test(tool, tmp_path):
    argv = ['--work-dir', str(tmp_path), '--cfg-options', *TINY]
    tool('train').main([str(RECIPE), '--no-validate', *argv])
    metrics = tool('test').main([str(RECIPE), str(tmp_path / 'epoch_1.pth'), *argv])
    assert 0 <= metrics['accuracy/top1'] <= 100


@pytest.mark.parametrize(
    'key',
    ['model', 'data_preprocessor', 'train_dataloader', 'val_dataloader', 'train_cfg'],
)
def test_it_is_the_recipe_of_names(key, load):
    def named(value):
        if isinstance(value, dict):
            value = {k: named(v) for k, v in value.items()}
            if isinstance(value.get('type'), str):
                value['type'] = value['type'].rpartition('.')[2]
            return value
        return [named(v) for v in value] if isinstance(value, list) else value

    new, old = Config.fromfile(RECIPE), load('demo/famkd_resnet20_resnet8_digits.py')
    new, old = named(new.to_dict()[key]), named(old.to_dict()[key])
    if key == 'train_cfg':
        new.pop('type'), old.pop('by_epoch')
    assert new == old
