"""What has changed in a config since the checkpoint from which a training goes on."""

from collections.abc import Iterator
from typing import Any

from mmengine.runner import Runner

from .literal_config import parse_config

# What a resumed training depends on, besides the model.
PARTS = ('optim_wrapper', 'param_scheduler', 'train_cfg', 'train_dataloader')


def report_changed_options(runner: Runner, checkpoint: dict) -> None:
    """Warns of options that are others than when the checkpoint was made.

    The state of the optimizer and of the schedules has their options in it (learning
    rate, ``T_max``): what the config says of them counts no more.

    Args:
        runner: Runner of the training.
        checkpoint: What its file holds.
    """
    try:
        before = parse_config(checkpoint['meta']['cfg'])
    except (KeyError, TypeError, ValueError):
        return  # made without a config, or left out as a program
    now = runner.cfg.to_dict()
    changes = [
        f'{key} is {new!r}, was {old!r}'
        for part in PARTS
        for key, old, new in _changes(before.get(part), now.get(part), part)
    ]
    if changes:
        more = f', and {len(changes) - 5} more' if changes[5:] else ''
        runner.logger.warning(
            f'resume: the config has changed: {"; ".join(changes[:5])}{more}. The '
            'optimizer and the schedules of the learning rate go on with the options '
            'in the checkpoint, all else with those of the config; to change these, '
            'too, start from the weights: load_from without resume'
        )


def _changes(old: Any, new: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _changes(old.get(name), new.get(name), f'{key}.{name}')
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        if len(old) != len(new):
            yield key, old, new
        else:
            for i, pair in enumerate(zip(old, new, strict=True)):
                yield from _changes(*pair, f'{key}.{i}')
    elif old != new and not isinstance(new, type):
        yield key, old, new
