"""The note in a cache of features: what they are of, and where each image's are."""

import json
import math
from pathlib import Path
from typing import Any

NOTE = 'features.json'
# What to do about a cache that is of no use.
AGAIN = 'remove the folder and write it again, with tools/cache_teacher.py CONFIG'


def read_note(path: str | Path) -> dict:
    """Reads the note of a cache, and checks that all in it can be what it says.

    Args:
        path: Folder of the cache.

    Returns:
        dict: ``key``, what the features are of; ``shapes`` by the name of the file;
        ``images``, the row and the sum of each image by its name.

    Raises:
        ValueError: If it is none, as in a damaged file; says what is wrong.
    """
    file = Path(path, NOTE)
    try:
        note = json.loads(file.read_text())
        for key in ('key', 'shapes', 'images'):
            _check(isinstance(note[key], dict), f'{key} is no dict')
        for name, shape in note['shapes'].items():
            _check(Path(name).name == name, f'{name!r} is no name of a file')
            _check(
                isinstance(shape, list) and all(_whole(n) and n > 0 for n in shape),
                f'shapes.{name} is {shape}, no list of positive numbers',
            )
        for name, entry in note['images'].items():
            row, total = entry
            _check(
                _whole(row) and 0 <= row < len(note['images']),
                f'row {row!r} of {name} is none of {len(note["images"])}',
            )
            _check(
                isinstance(total, float) and math.isfinite(total),
                f'the sum {total!r} of {name} is no number',
            )
        rows = {row for row, _ in note['images'].values()}
        _check(len(rows) == len(note['images']), 'two images have one row')
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f'feature_cache: {file} is damaged ({type(error).__name__}: {error}); '
            f'{AGAIN}'
        ) from error
    return note


def _check(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


def _whole(value: Any) -> bool:
    return type(value) is int
