"""A recipe in mmpretrain's own train tool, which knows of famkd what the config says."""

import json
import subprocess
import sys
from pathlib import Path

import mmpretrain
import pytest
import torch

RECIPE = 'configs/famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py'
CHANGES = """
model = dict(teacher_ckpt=None, allow_random_teacher=True)
dataset = dict(
    _delete_=True,
    type='Digits',
    num_per_class=1,
    pipeline=[dict(type='Resize', scale=32), dict(type='PackInputs')],
)
loader = dict(num_workers=0, persistent_workers=False, dataset=dataset)
train_dataloader = dict(batch_size=5, **loader)
val_dataloader = dict(batch_size=10, **loader)
train_cfg = dict(max_epochs=1)
default_hooks = dict(logger=dict(interval=1))
"""


def test_famkd_trains_in_mmpretrains_tool(tmp_path):
    config = tmp_path / 'recipe.py'
    recipe = Path(__file__).parents[2] / RECIPE
    config.write_text(f'_base_ = {str(recipe)!r}\n{CHANGES}')
    tool = Path(mmpretrain.__file__).parent / '.mim/tools/train.py'
    result = subprocess.run(
        [sys.executable, tool, config, '--work-dir', tmp_path / 'out'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    [path] = tmp_path.glob('out/*/vis_data/scalars.json')
    first, second, validation = map(json.loads, path.read_text().splitlines())
    for line in (first, second):
        assert line['distill_weight'] == pytest.approx(1 / 20)
        assert all(line[f'distill.loss_stage{stage}'] > 0 for stage in range(1, 5))
    assert 'accuracy/top1' in validation
    state = torch.load(tmp_path / 'out/epoch_1.pth', weights_only=False)['state_dict']
    assert 'architecture.backbone.conv1.weight' in state
