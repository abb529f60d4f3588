"""Every hostile file through every reader: a new case is a line in hostile_files.py."""

import io
from pathlib import Path

import pytest
import torch
from hostile_files import HARMLESS, REFUSED
from mmengine.model import BaseModel, PretrainedInit
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import CheckpointLoader
from tool_fixtures import load_tool

from famkd.apis.checkpoints import load_network
from famkd.models.algorithms.teacher_weights import load_teacher
from famkd.runtime.safe_load import load_checkpoint, read_file


class Network(BaseModel):
    """A network with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = torch.nn.BatchNorm1d(4, affine=False, track_running_stats=False)
        self.backbone.weight = torch.nn.Parameter(torch.zeros(4))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return inputs


def read_bytes(path: Path) -> None:
    read_file(io.BytesIO(path.read_bytes()))


def pretrained(path: Path) -> None:
    init: PretrainedInit = WEIGHT_INITIALIZERS.build(
        dict(type='Pretrained', checkpoint=str(path))
    )
    init(Network())


def teacher(path: Path) -> None:
    network = Network()
    load_teacher(network, str(path), allow_unused=True)
    # It is whole, and of the file, or there was an error.
    assert network.backbone.weight.tolist() == [1] * 4


def resume(path: Path) -> None:
    from types import SimpleNamespace
    from unittest.mock import Mock

    from famkd.runtime.resumable import check_resumable

    runner = SimpleNamespace(model=Network(), logger=Mock(), hooks=[])
    check_resumable(runner, CheckpointLoader.load_checkpoint(str(path), 'cpu'))


def extract(path: Path) -> None:
    out = path.with_name('out.pth')
    load_tool('model_converters/extract_student').main([str(path), str(out)])
    torch.load(out, weights_only=True)


READERS = {
    'load_checkpoint': load_checkpoint,
    'bytes': read_bytes,
    'MMEngine': lambda path: CheckpointLoader.load_checkpoint(str(path), 'cpu'),
    'Pretrained': pretrained,
    'teacher': teacher,
    'resume': resume,
    'analysis': lambda path: load_network(str(path)),
    'extract_student': extract,
}
# What a user gets to see: one clear error.
ERRORS = (OSError, ValueError, SystemExit)


@pytest.mark.parametrize('case', [*REFUSED, *HARMLESS])
def test_hostile_file(case, tmp_path, limits):
    trace = tmp_path / 'trace'
    path = tmp_path / 'evil.pth'
    {**REFUSED, **HARMLESS}[case](path, trace)
    for name, read in READERS.items():
        with limits():
            try:
                read(path)
            except ERRORS as error:
                # Names the file, or says what is wrong with what is in it.
                assert 'evil.pth' in str(error) or name in ('bytes', 'resume'), name
            else:
                assert case not in REFUSED, f'{name} has read it'
        assert not trace.exists(), f'{name} has run the code'
