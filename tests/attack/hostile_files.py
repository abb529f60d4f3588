"""Makers of files that no one should read: path, and a trace that code would leave."""

import io
import os
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer


class Call:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Callable, *args) -> None:
        self.reduced = function, args

    def __reduce__(self) -> tuple:
        return self.reduced


class State:
    """Runs code where its state is set."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __setstate__(self, state: dict) -> None:
        state['trace'].touch()


def checkpoint(**changes) -> dict:
    """A checkpoint of a training, as MMEngine writes it."""
    return {
        'meta': dict(epoch=1, iter=3, cfg='a = 1'),
        'message_hub': dict(log_scalars={}, runtime_info={}, resumed_keys={}),
        'state_dict': {
            'architecture.fc.weight': torch.ones(100),
            'backbone.weight': torch.ones(4),
        },
        **changes,
    }


def calling(*call: Any, zipped: bool = True) -> Callable:
    """Maker of a checkpoint that calls a function; TRACE among its arguments stands
    for the trace."""

    def make(path: Path, trace: Path) -> None:
        function, *args = call
        args = [
            a.replace('TRACE', str(trace)) if isinstance(a, str) else a for a in args
        ]
        content = checkpoint(extra=Call(function, *args))
        torch.save(content, path, _use_new_zipfile_serialization=zipped)

    return make


def holding(make_content: Callable[[Path], Any]) -> Callable:
    """Maker of a checkpoint that has something more."""
    return lambda path, trace: torch.save(checkpoint(extra=make_content(trace)), path)


def plain_pickle(path: Path, trace: Path) -> None:
    path.write_bytes(pickle.dumps(Call(Path.touch, trace)))


def protocol_0(path: Path, trace: Path) -> None:
    path.write_bytes(f"cposix\nsystem\n(S'touch {trace}'\ntR.".encode())


def torch_tar(path: Path, trace: Path) -> None:
    """PyTorch's format before version 0.1.10."""
    content = pickle.dumps(Call(Path.touch, trace))
    with tarfile.open(path, 'w') as archive:
        for name in ('sys_info', 'pickle', 'storages', 'tensors'):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def script(path: Path, trace: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), path)


def as_safetensors(path: Path, trace: Path) -> None:
    plain_pickle(path, trace)


def edited(change: Callable[[bytes], bytes]) -> Callable:
    """Maker of a checkpoint whose pickle is changed, with the right checksum."""

    def make(path: Path, trace: Path) -> None:
        whole = io.BytesIO()
        torch.save(checkpoint(), whole)
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, 'w') as new:
            for part in old.infolist():
                content = old.read(part)
                if part.filename.endswith('data.pkl'):
                    changed = change(content)
                    assert changed != content
                    content = changed
                new.writestr(part.filename, content)

    return make


NUMBER = b'Kd'  # 100 in a pickle: of elements in the storage, and in the tensor
HUGE = b'\x8a\x06' + (10**13).to_bytes(6, 'little')


def huge_storage(pickled: bytes) -> bytes:
    return pickled.replace(NUMBER, HUGE)


def huge_tensor(pickled: bytes) -> bytes:
    place = pickled.rindex(NUMBER)
    return pickled[:place] + HUGE + pickled[place + len(NUMBER) :]


def huge_in_the_old_format(path: Path, trace: Path) -> None:
    torch.save(checkpoint(), path, _use_new_zipfile_serialization=False)
    path.write_bytes(huge_storage(path.read_bytes()))


def bomb(path: Path, trace: Path) -> None:
    """16 megabytes of zeros in 16 kilobytes."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a/data.pkl', bytes(1 << 24))


def nested(depth: int) -> list:
    """A list in a list in a list."""
    content = []
    for _ in range(depth):
        content = [content]
    return content


def doubled(times: int) -> tuple:
    """A tuple that takes little memory, and has 2 to the power of ``times`` leaves."""
    content = ()
    for _ in range(times):
        content = (content, content)
    return content


def deep_pickle(pickled: bytes) -> bytes:
    """Ten thousand lists in one another, which pickle itself cannot write."""
    return pickled[:2] + b']' * 10**4 + b'a' * (10**4 - 1) + b'0' + pickled[2:]


def directory(path: Path, trace: Path) -> None:
    path.mkdir()


def written(content: bytes) -> Callable:
    """Maker of a file with this content."""
    return lambda path, trace: path.write_bytes(content)


def weights_with(value: Any) -> Callable:
    """Maker of a checkpoint one of whose weights is something else."""

    def make(path: Path, trace: Path) -> None:
        weights = checkpoint()['state_dict']
        weights['backbone.weight'] = value
        torch.save(checkpoint(state_dict=weights), path)

    return make


NAN = torch.full((4,), float('nan'))
ONES = torch.ones(4)

# Those that hold code, or pretend to be what they are not: no reader reads them.
REFUSED = {
    'eval': calling(eval, 'open("TRACE", "w")'),
    'exec, old format': calling(exec, 'open("TRACE", "w")', zipped=False),
    'os.system': calling(os.system, 'touch TRACE'),
    'partial': holding(lambda trace: partial(Path.touch, trace)),
    'method of a log': calling(getattr, HistoryBuffer, '__init__'),
    'attribute of an attribute': calling(getattr, HistoryBuffer.mean, '__globals__'),
    'state': holding(State),
    'array of objects': holding(lambda t: np.array([Call(Path.touch, t)], object)),
    'dictionary of a subclass': holding(lambda t: OrderedDict(a=Call(Path.touch, t))),
    'plain pickle': plain_pickle,
    'protocol 0': protocol_0,
    'tar': torch_tar,
    'TorchScript': script,
    'huge storage': edited(huge_storage),
    'huge tensor': edited(huge_tensor),
    'huge storage, old format': huge_in_the_old_format,
    'bomb': bomb,
    'folder': directory,
    'empty': written(b''),
    'text': written(b'no checkpoint'),
    'empty archive': written(b'PK\5\6' + bytes(18)),
    'image': written(b'\x89PNG\r\n\x1a\n' + bytes(100)),
}

# Those that are odd, but do no harm: read whole, or refused by the reader that uses it.
HARMLESS = {
    'nested': holding(lambda trace: nested(200)),
    'deep': edited(deep_pickle),
    'doubled': holding(lambda trace: doubled(60)),
    'no weights': lambda path, trace: torch.save({}, path),
    'a list': lambda path, trace: torch.save([1, 2], path),
    'a number': lambda path, trace: torch.save(1.0, path),
    'weights are a list': lambda path, trace: torch.save(
        checkpoint(state_dict=[ONES]), path
    ),
    'weights have numbers for names': lambda path, trace: torch.save(
        checkpoint(state_dict={1: ONES}), path
    ),
    'program as a config': lambda path, trace: torch.save(
        checkpoint(meta=dict(epoch=1, iter=3, cfg=f'open({str(trace)!r}, "w")')), path
    ),
    'program in a config of a base': lambda path, trace: torch.save(
        checkpoint(meta=dict(epoch=1, iter=3, cfg='_base_ = "x.py"', config='{')), path
    ),
    'integers': weights_with(ONES.int()),
    'complex numbers': weights_with(ONES.cfloat()),
    'NaN': weights_with(NAN),
    'text for a weight': weights_with('text'),
    'sparse': weights_with(ONES.to_sparse()),
    'nothing behind it': weights_with(ONES.to('meta')),
    'one number for many': weights_with(torch.ones(1).expand(10**12)),
    'hooks': weights_with(torch.nn.Parameter(ONES)),
}
