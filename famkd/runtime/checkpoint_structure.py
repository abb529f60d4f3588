"""What the records in a checkpoint must look like for a training to go on from it."""

import math
from collections.abc import Iterator
from numbers import Real
from typing import Any

from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner

ANYTHING = None


def check_structure(runner: Runner, checkpoint: dict, exact_resume: dict) -> None:
    """Refuses records that MMEngine would fail at, or go on with as if they fitted.

    They are compared with examples: those of this training where it has them. Only
    kinds count, not values; entries that an example does not have may be anything.

    Args:
        runner: Runner of the training.
        checkpoint: What its file holds, a dict.
        exact_resume: Example of the entry of that name.

    Raises:
        ValueError: If something is missing, of another kind or, in the schedules, of
            another number; names it.
    """
    examples = {
        'message_hub': dict(
            log_scalars={},
            runtime_info=_best_scores(checkpoint),
            resumed_keys={},
        ),
        'optimizer': _optimizer(runner, checkpoint),
        'param_schedulers': _schedules(runner),
        'exact_resume': exact_resume,
    }
    for name, example in examples.items():
        if name in checkpoint:
            for problem in _problems(checkpoint[name], example, name):
                raise ValueError(
                    f'resume: in the checkpoint, {problem}; give one of a training '
                    'with this config or, to start from its weights, set load_from '
                    'without resume'
                )


def _best_scores(checkpoint: dict) -> dict:
    hub = checkpoint.get('message_hub')
    info = hub.get('runtime_info') if isinstance(hub, dict) else None
    keys = info if isinstance(info, dict) else ()
    return {key: 0.0 for key in keys if str(key).startswith('best_score')}


def _optimizer(runner: Runner, checkpoint: dict) -> dict:
    def example(given: Any) -> dict:
        state = given.get('state') if isinstance(given, dict) else None
        entries = state if isinstance(state, dict) else ()
        groups = [dict(params=[ANYTHING, ...]), ...]
        return dict(state={key: {} for key in entries}, param_groups=groups)

    given = checkpoint.get('optimizer')
    if not isinstance(runner.optim_wrapper, OptimWrapperDict):
        return example(given)
    states = given if isinstance(given, dict) else {}
    return {name: example(states.get(name)) for name in runner.optim_wrapper.keys()}


def _schedules(runner: Runner) -> Any:
    schedules = runner.param_schedulers
    if isinstance(schedules, dict):  # one list for each optimizer
        return {
            name: [schedule.state_dict() for schedule in own]
            for name, own in schedules.items()
        }
    if schedules is None:
        return ANYTHING
    return [schedule.state_dict() for schedule in schedules]


def _problems(given: Any, example: Any, name: str) -> Iterator[str]:
    """What is other than the example, which is a dict, a list or a number.

    A list that ends with ``...`` may have any number of elements like its first one.
    """
    if isinstance(example, dict):
        if not isinstance(given, dict):
            yield f'{name} is {_tell(given)}, no dict'
            return
        for key, part in example.items():
            if key not in given:
                yield f'{name} has no {key}'
            else:
                yield from _problems(given[key], part, f'{name}.{key}')
    elif isinstance(example, (list, tuple)):
        if not isinstance(given, (list, tuple)):
            yield f'{name} is {_tell(given)}, no list'
            return
        if example and example[-1] is ...:
            example = [example[0]] * len(given)
        if len(given) != len(example):
            yield f'{name} has {len(given)} entries, this training has {len(example)}'
            return
        for i, pair in enumerate(zip(given, example, strict=True)):
            yield from _problems(*pair, f'{name}.{i}')
    elif isinstance(example, Real):
        if not isinstance(given, Real) or math.isnan(given):
            yield f'{name} is {_tell(given)}, no number'


def _tell(given: Any) -> str:
    if given is None or isinstance(given, (str, Real)):
        return repr(given)[:40]
    return f'a {type(given).__name__}'
