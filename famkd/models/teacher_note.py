"""Notes of which teacher it was: in checkpoints of students, and of prompts."""

import hashlib
import json
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class TeacherIdentity:
    """Which teacher a training has, and with which one it began.

    Args:
        path: Path or URL of the teacher's checkpoint.
        may_change: Whether a training may go on with another teacher.

    Attributes:
        note: ``path`` and, once it is known, ``hash`` of the teacher's weights.
    """

    def __init__(self, path: str | None, may_change: bool) -> None:
        self.note = dict(path=path)
        self._began_with = None
        self._may_change = may_change

    def complete(self, teacher: nn.Module) -> dict[str, str | None]:
        """The note, with the hash of the weights as they were when it was first asked.

        Args:
            teacher: The teacher's network.
        """
        if 'hash' not in self.note:
            self.note['hash'] = fingerprint(teacher.state_dict())
        return self.note

    def resume(self, note: dict[str, str | None]) -> None:
        """Keeps the note of a checkpoint, for :meth:`check`."""
        self._began_with = note

    def check(self, teacher: nn.Module) -> None:
        """Compares the teacher with that of the checkpoint, once.

        Raises:
            ValueError: If it is another one, and may not be.
        """
        began_with, self._began_with = self._began_with, None
        if began_with is None or self._may_change:
            return
        note = self.complete(teacher)
        if note['hash'] != began_with.get('hash'):
            raise ValueError(
                f'teacher_ckpt={tell_teacher(note)} is another teacher than that of '
                f'the checkpoint, {tell_teacher(began_with)}; name that one, or set '
                'model.allow_other_teacher=True to go on with another'
            )


def fingerprint(weights: Mapping[str, Tensor]) -> str:
    """A hash of weights, 16 hexadecimal digits.

    Args:
        weights: State dict. BN's ``num_batches_tracked`` does not count.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(weights):
        if not name.endswith('num_batches_tracked'):
            value = weights[name].detach().cpu().contiguous().flatten()
            digest.update(name.encode())
            digest.update(value.view(torch.uint8).numpy())
    return digest.hexdigest()


def note_to_tensor(note: dict[str, str | None]) -> Tensor:
    """A note as an entry of a state dict: JSON, as bytes."""
    return torch.frombuffer(bytearray(json.dumps(note).encode()), dtype=torch.uint8)


def note_from_tensor(state: Tensor) -> dict[str, str | None]:
    """The note that :func:`note_to_tensor` made a tensor of.

    Raises:
        ValueError: If it is no such tensor.
    """
    try:
        note = json.loads(bytes(state.tolist()))
    except (AttributeError, TypeError, ValueError):
        note = None
    values = note.values() if isinstance(note, dict) else [0]
    if not all(value is None or isinstance(value, str) for value in values):
        raise ValueError(
            'the checkpoint has something else for the note of its teacher '
            '(_extra_state); give one that famkd has written'
        )
    return note


def tell_teacher(note: dict[str, str | None]) -> str:
    """How a message names a teacher: its checkpoint and the hash of its weights."""
    return f'{note.get("path")!r} (weights {note.get("hash")})'


def same_teacher(first: dict, second: dict) -> bool:
    """Whether two notes are of the same weights, as far as both say."""
    hashes = {note['hash'] for note in (first, second) if note.get('hash')}
    return len(hashes) < 2
