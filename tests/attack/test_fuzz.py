"""500 random corruptions of a checkpoint: refused, or read whole and equal."""

import io
import pickletools
import random
import zipfile
from collections.abc import Callable

import pytest
import torch
from mmengine.logging import HistoryBuffer
from test_hostile_files import ERRORS, READERS

from famkd.runtime.safe_load import read_file

WEIGHTS = {
    'architecture.fc.weight': torch.arange(12.0).view(3, 4),
    'backbone.weight': torch.ones(4),
}


def whole() -> bytes:
    content = dict(
        state_dict=WEIGHTS,
        meta=dict(epoch=1, iter=3, cfg='a = 1'),
        message_hub=dict(loss=HistoryBuffer([1.0, 0.5], [1, 1])),
    )
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def flipped(content: bytearray, draw: random.Random) -> None:
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def overwritten(content: bytearray, draw: random.Random) -> None:
    place = draw.randrange(len(content))
    content[place : place + 8] = draw.randbytes(8)


def cut_off(content: bytearray, draw: random.Random) -> None:
    del content[draw.randrange(len(content)) :]


def swapped_members(content: bytearray, draw: random.Random) -> None:
    """The contents of two parts of the archive, at the places of each other."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read(part) for part in archive.infolist()]
    first, second = sorted(draw.sample(parts, 2), key=content.find)
    start, end = content.find(first), content.find(second)
    between = content[start + len(first) : end]
    content[start : end + len(second)] = second + between + first


def changed_opcodes(content: bytearray, draw: random.Random) -> None:
    """Two opcodes of the pickle are others; its checksum is right."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, 'w') as new,
    ):
        for part in old.infolist():
            pickled = bytearray(old.read(part))
            if part.filename.endswith('data.pkl'):
                places = [place for _, _, place in pickletools.genops(bytes(pickled))]
                for place in draw.sample(places, 2):
                    code = draw.choice(pickletools.opcodes).code
                    pickled[place] = code.encode('latin-1')[0]
            new.writestr(part.filename, bytes(pickled))
    content[:] = out.getvalue()


@pytest.mark.parametrize(
    'corrupt',
    [flipped, overwritten, cut_off, swapped_members, changed_opcodes],
    ids=lambda corrupt: corrupt.__name__,
)
def test_corruption(corrupt: Callable, tmp_path, limits):
    draw, path, original = random.Random(0), tmp_path / 'evil.pth', whole()
    readers = list(READERS.values())
    refused = 0
    with limits():
        for i in range(100):
            content = bytearray(original)
            corrupt(content, draw)
            path.write_bytes(content)
            for read in (readers[i % len(readers)], readers[-1 - i % len(readers)]):
                try:
                    read(path)
                except ERRORS:
                    pass
            try:
                found = read_file(path)
            except ValueError:
                refused += 1
                continue
            if corrupt is not changed_opcodes:  # That may be another whole checkpoint.
                same_weights(found['state_dict'])
                assert found['message_hub']['loss'].data[0].tolist() == [1, 0.5]
    assert refused > 20


def same_weights(weights: dict) -> None:
    assert weights.keys() == WEIGHTS.keys()
    for name, value in WEIGHTS.items():
        assert torch.equal(weights[name], value), name
