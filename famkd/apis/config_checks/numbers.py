"""Numbers in a config that make no sense."""

import math
from collections.abc import Callable, Iterator

Rule = tuple[Callable[[float], bool], str]
POSITIVE: Rule = (lambda x: 0 < x < math.inf, 'a number above 0')
NOT_NEGATIVE: Rule = (lambda x: 0 <= x < math.inf, 'a number of at least 0')
COUNT: Rule = (lambda x: x >= 1 and x % 1 == 0, 'a whole number of at least 1')
WHOLE: Rule = (lambda x: x >= 0 and x % 1 == 0, 'a whole number of at least 0')
INTERVAL: Rule = (
    lambda x: x == -1 or COUNT[0](x),
    'a whole number of at least 1, or -1 for never',
)

# Key -> what the number there must be, if there is one.
NUMBERS = {
    'auto_scale_lr.base_batch_size': COUNT,
    'optim_wrapper.optimizer.lr': NOT_NEGATIVE,
    'optim_wrapper.optimizer.weight_decay': NOT_NEGATIVE,
    'optim_wrapper.accumulative_counts': COUNT,
    'optim_wrapper.clip_grad.max_norm': POSITIVE,
    'optim_wrapper.clip_grad.clip_value': POSITIVE,
    'env_cfg.resource_limit': COUNT,
    'train_cfg.max_epochs': COUNT,
    'train_cfg.max_iters': COUNT,
    'train_cfg.val_interval': COUNT,
    'randomness.seed': WHOLE,
    **{
        f'{part}_dataloader.{option}': rule
        for part in ('train', 'val', 'test')
        for option, rule in (('batch_size', COUNT), ('num_workers', WHOLE))
    },
}
# Option of any component -> what the number there must be: where it is another one,
# the component would fail after hours, or do nothing.
OPTIONS = {
    'interval': INTERVAL,
    'max_skips': WHOLE,
    'patience': WHOLE,
    'start_factor': POSITIVE,
    'step_size': COUNT,
    'T_max': COUNT,
    'topk': COUNT,
    'window_size': COUNT,
}


def number_problems(key: str, value: object, rule: Rule) -> Iterator[str]:
    """The message about a value that is no number, or not the one that is needed.

    Args:
        key: Where it stands.
        value: The value; None, for a default, is right.
        rule: Which numbers are right, and how to say it.
    """
    is_right, wanted = rule
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (is_real and is_right(value)):
        yield f'{key}={value!r} must be {wanted}'
