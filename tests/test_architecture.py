"""docs/architecture.md: its example trains, and what it names exists."""

import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs/architecture.md').read_text(encoding='utf-8')


def test_the_walk_of_adding_a_method_trains(tool, tmp_path, monkeypatch):
    blocks = re.findall(
        r'as `(\w+\.py)`:\n\n(?:<!--[^\n]*-->\n\n)?```python\n(.*?)```', PAGE, re.DOTALL
    )
    assert len(blocks) == 2
    for name, code in blocks:
        (tmp_path / name).write_text(code, encoding='utf-8')
    recipe = tmp_path / blocks[1][0]
    assert len(blocks[1][1].splitlines()) < 20
    assert f'tools/train.py {recipe.name}' in PAGE
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    options = (
        'model.teacher_ckpt=None model.allow_random_teacher=True '
        'train_cfg.max_epochs=1 train_dataloader.dataset.num_per_class=1 '
        'randomness.seed=0 model.teacher.backbone.depth=8'
    )
    tool('train').main(
        [str(recipe), '--no-validate', '--cfg-options', *options.split()]
    )
    [checkpoint] = Path('work_dirs').rglob('epoch_1.pth')
    logged = torch.load(checkpoint, weights_only=False)['message_hub']['log_scalars']
    for stage in (1, 2, 3):
        assert logged[f'train/distill.loss_stage{stage}'].current() > 0


@pytest.mark.parametrize('path', sorted(set(re.findall(r'`(famkd/[\w/.]+)`', PAGE))))
def test_every_place_that_it_names_exists(path):
    if 'look_loss' not in path:
        assert (ROOT / path).exists()


def test_imports_point_down_only():
    shared = {'checkpoint_keys', 'compat', 'names', 'registry', 'renamed', 'shipped'}
    allowed = {
        'layers': {'layers'},
        'runtime': {'runtime'},
        'models': {'models', 'layers', 'runtime', *shared},
        'engine': {'engine', 'models', 'layers', 'runtime', *shared},
        'datasets': {'datasets', *shared},
    }
    for floor, below in allowed.items():
        for file in (ROOT / 'famkd' / floor).rglob('*.py'):
            text = file.read_text(encoding='utf-8')
            names = re.findall(r'^\s*(?:from|import) famkd\.(\w+)', text, re.MULTILINE)
            assert set(names) <= below, file
