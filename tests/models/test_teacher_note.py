"""Notes of teachers."""

import pytest
import torch

from famkd.models.teacher_note import (
    fingerprint,
    note_from_tensor,
    note_to_tensor,
    same_teacher,
)


def test_fingerprint_tells_weights_apart():
    weights = dict(a=torch.zeros(3), b=torch.ones(2, dtype=torch.bfloat16))
    same = dict(b=weights['b'].clone(), a=weights['a'].clone())
    assert fingerprint(weights) == fingerprint(same)
    assert fingerprint(weights) != fingerprint({**weights, 'a': torch.ones(3)})
    assert fingerprint(weights) != fingerprint(dict(a=weights['a'], c=weights['b']))
    scalar = dict(num_batches_tracked=torch.tensor(3), x=torch.tensor(1.0))
    assert len(fingerprint(scalar)) == 16


def test_a_note_survives_a_checkpoint():
    note = dict(path='Lehrer für alle.pth', hash=None)
    assert note_from_tensor(note_to_tensor(note)) == note


@pytest.mark.parametrize(
    'state',
    [5, torch.ones(3), torch.tensor([91, 93]), torch.tensor(list(b'{"hash": [1]}'))],
)
def test_what_is_no_note(state):
    with pytest.raises(ValueError, match='something else for the note of its teacher'):
        note_from_tensor(state)


def test_teachers_are_told_by_their_weights():
    first, second = dict(path='a', hash='1'), dict(path='b', hash='2')
    assert not same_teacher(first, second)
    assert same_teacher(first, dict(second, hash='1'))
    assert same_teacher(first, dict(path='b'))
    assert same_teacher(first, {})
