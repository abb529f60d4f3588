"""The globals of a checkpoint besides tensors: MMEngine's logs, NumPy's numbers.

A pickle names functions and calls them with arguments of its own, so each of those here
must be harmless whatever it is called with.
"""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer

NUMBERS = [np.dtype(code) for code in '?bBhHiIlLqQefdg']  # bool, integers, floats


def allowed_globals() -> list[type | tuple[Callable, str]]:
    """Classes and (function, name) pairs for ``torch.serialization.safe_globals``."""
    functions = [(_method, 'builtins.getattr'), (_dtype, 'numpy.dtype')]
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        functions.append((_scalar, f'{module}.scalar'))
        functions.append((_empty_array, f'{module}._reconstruct'))
    return [
        HistoryBuffer,
        np.ndarray,
        *{type(number) for number in NUMBERS},
        *functions,
    ]


def _method(owner: type, name: str) -> Callable:
    """The logs name their statistics through ``getattr``; nothing else may."""
    if owner is not HistoryBuffer or name.startswith('_'):
        owner = getattr(owner, '__name__', type(owner).__name__)
        raise pickle.UnpicklingError(f'GLOBAL {owner}.{name}')
    return getattr(owner, name)


def _dtype(code: str, *_: Any) -> np.dtype:
    """A type of numbers; of objects, raw bytes would become pointers.

    It is NumPy's own instance, no copy as a pickle asks for: its state cannot be set.
    """
    for number in NUMBERS:
        if code in (number.char, number.str[1:]):
            return number
    raise pickle.UnpicklingError(f'GLOBAL numpy.dtype({code!r})')


def _scalar(number: np.dtype, content: bytes) -> np.generic:
    return np.frombuffer(content, number, 1)[0]


def _empty_array(*_: Any) -> np.ndarray:
    """An array into which the content is put; NumPy checks that it fits."""
    return np.empty(0, np.int8)
