"""Compares what two trainings leave behind, bit for bit."""

from pathlib import Path

import torch

from famkd.runtime.safe_load import load_checkpoint

STATE = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers')


def check_same(a: object, b: object, name: str) -> None:
    """Raises an AssertionError, which names the place, unless two values are the same.

    Args:
        a: Tensor, plain value, or list, tuple or dict of such.
        b: Another one.
        name: What they are.
    """
    assert type(a) is type(b), name
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), name
    elif isinstance(a, dict):
        assert set(a) == set(b), name
        for key in a:
            check_same(a[key], b[key], f'{name}.{key}')
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), name
        for i, pair in enumerate(zip(a, b, strict=True)):
            check_same(*pair, f'{name}.{i}')
    else:
        assert a == b, name


def check_same_trainings(folder: Path, other: Path) -> list[str]:
    """Raises an AssertionError unless two work folders have the same checkpoints.

    The same files, with the same weights, EMA, optimizer, schedules, random states
    and record of the best score.

    Args:
        folder: A work folder.
        other: Another one.

    Returns:
        list[str]: The names of the files.
    """
    names, others = (sorted(p.name for p in f.glob('*.pth')) for f in (folder, other))
    assert names == others
    for name in names:
        a, b = (load_checkpoint(path / name) for path in (folder, other))
        for key in (*STATE, 'exact_resume'):
            check_same(a.get(key), b.get(key), f'{name}: {key}')
        best = [c['message_hub']['runtime_info'].get('best_score') for c in (a, b)]
        assert best[0] == best[1], name
    return names
