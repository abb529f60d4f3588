"""What a checkpoint may hold, and that nothing reads one that holds more."""

import io
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader

from famkd.runtime.safe_load import load_checkpoint, read_file, trust_checkpoints


class Call:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


class Custom:
    """Harmless, but neither PyTorch's nor MMEngine's."""


@pytest.fixture(autouse=True)
def no_trust():
    """No test trusts what another one did."""
    trust_checkpoints(False)
    yield
    trust_checkpoints(False)


@pytest.fixture
def trace(tmp_path):
    """The file that the code in the malicious checkpoint makes."""
    return tmp_path / 'trace'


@pytest.fixture
def malicious(tmp_path, trace):
    """Path of a checkpoint that looks like one of MMEngine, but runs code."""
    path = tmp_path / 'malicious.pth'
    content = dict(
        meta=dict(epoch=1, iter=3, cfg='model = dict()', evil=Call(Path.touch, trace)),
        message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}),
        state_dict={'architecture.fc.weight': torch.zeros(2)},
    )
    torch.save(content, path)
    return str(path)


REFUSED = r'malicious.pth is refused: it asks for .*Path.*--trust-checkpoint'


def test_what_mmengine_saves_is_read(tmp_path):
    content = dict(
        logs=HistoryBuffer([1.0, 0.5], [1, 1]),
        best=np.float64(0.5),
        scalar=np.float32(0.25),
        array=np.arange(3, dtype=np.int16),
        weights=torch.ones(2),
    )
    torch.save(content, tmp_path / 'a.pth')
    read = load_checkpoint(tmp_path / 'a.pth')
    assert read['logs'].mean() == 0.75
    assert (read['best'], read['scalar']) == (0.5, 0.25)
    assert read['array'].tolist() == [0, 1, 2]


def test_names_of_numpy_1_are_read(tmp_path):
    path = tmp_path / 'a.pth'
    # The older format of PyTorch: one pickle, in which the name can be replaced.
    torch.save(np.float64(0.5), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b'numpy._core', b'numpy.core'))
    assert load_checkpoint(path) == 0.5


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'old format'])
def test_code_in_a_file_is_not_run(tmp_path, trace, zipped):
    for evil, name in (
        (Call(Path.touch, trace), 'Path'),
        (Call(eval, f'open({str(trace)!r}, "w")'), 'eval'),
        (Call(getattr, HistoryBuffer, '__init__'), 'HistoryBuffer.__init__'),
        (Call(getattr, torch.Tensor, 'mean'), 'Tensor.mean'),
    ):
        path = tmp_path / 'a.pth'
        torch.save(evil, path, _use_new_zipfile_serialization=zipped)
        with pytest.raises(ValueError, match=f'a.pth is refused: it asks for .*{name}'):
            load_checkpoint(path)
        with pytest.raises(ValueError, match='is refused'):
            read_file(io.BytesIO(path.read_bytes()))
    assert not trace.exists()


@pytest.mark.parametrize('content', [b'', b'no checkpoint', b'PK\x03\x04cut'])
def test_what_is_no_checkpoint(tmp_path, content):
    path = tmp_path / 'a.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='a.pth cannot be read .*; is the file comp'):
        load_checkpoint(path)


def test_a_trusted_file_may_hold_anything(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict={}, custom=Custom()), path)
    with pytest.raises(ValueError, match='asks for test_safe_load.Custom, which'):
        load_checkpoint(path)
    trust_checkpoints()
    assert isinstance(load_checkpoint(path)['custom'], Custom)


def test_every_loader_of_mmengine_is_guarded(malicious, trace, monkeypatch, tmp_path):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    content = Path(malicious).read_bytes()
    monkeypatch.setattr(
        torch.hub,
        'download_url_to_file',
        lambda url, file, **options: Path(file).write_bytes(content),
    )

    class Backend:
        def get(self, path):
            return content

    monkeypatch.setattr(
        'mmengine.runner.checkpoint.get_file_backend', lambda *a, **k: Backend()
    )
    home = tmp_path / 'home'
    home.mkdir()
    monkeypatch.setenv('MMENGINE_HOME', str(home))
    (home / 'open_mmlab.json').write_text('{"evil": "malicious.pth"}')
    (home / 'malicious.pth').write_bytes(content)
    refused = 'is refused: it asks for|is not the file that its name says'
    for source in (
        malicious,
        'https://example.org/malicious.pth',
        'torchvision://resnet18',
        'modelzoo://resnet18',
        'open-mmlab://resnet50_caffe',
        'openmmlab://evil',
        'mmcls://resnet50',
        's3://bucket/malicious.pth',
        'cluster:petrel://bucket/malicious.pth',
    ):
        with pytest.raises(ValueError, match=refused):
            CheckpointLoader.load_checkpoint(source, 'cpu')
    # pavi:// needs a package that is not public.
    assert len(CheckpointLoader._schemes) == 11
    assert not trace.exists()


def test_pretrained_weights(malicious, trace):
    module = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=malicious))
    with pytest.raises(ValueError, match=REFUSED):
        module.init_weights()
    assert not trace.exists()


@pytest.mark.parametrize('resume', [False, True], ids=['load_from', 'resume'])
def test_runner(resume, malicious, trace, make_runner):
    with pytest.raises(ValueError, match=REFUSED):
        make_runner(load_from=malicious, resume=resume).train()
    assert not trace.exists()


class Pickled:
    """Is unpickled by a call, and a state that is set then."""

    def __init__(self, function, args, state=None):
        self.reduced = function, args, state

    def __reduce__(self):
        return self.reduced if self.reduced[2] is not None else self.reduced[:2]


SCALAR = np.float64(0).__reduce__()[0]
STATE = (3, '|', None, None, None, -1, -1, 255)  # of a dtype; flags of all kinds


@pytest.mark.parametrize(
    'evil',
    [
        Pickled(SCALAR, (np.dtype(object), b'\1' * 8)),
        Pickled(SCALAR, (np.dtype([('a', object)]), b'\1' * 8)),
        Pickled(np.dtype, ('O8', False, True)),
        Pickled(np.dtype, ([('a', 'O')],)),
        np.array([object], dtype=object),
        np.array(['text']),
        np.array(0, 'datetime64[s]'),
        Pickled(np.zeros(0).__reduce__()[0], (np.ndarray, (10**13,), b'b'), (1, 2, 3)),
    ],
    ids=lambda evil: type(evil).__name__,
)
def test_numbers_only(evil, tmp_path):
    torch.save(dict(state_dict={}, meta=dict(evil=evil)), tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='is refused|cannot be read'):
        load_checkpoint(tmp_path / 'a.pth')


def test_the_state_of_a_dtype_cannot_be_set(tmp_path):
    """Its flags would have NumPy take the bytes of a number for a pointer."""
    dtype = Pickled(np.dtype, ('f8', False, True), STATE)
    torch.save(Pickled(SCALAR, (dtype, b'\1' * 8)), tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth').dtype.flags == 0
    assert np.dtype('f8').flags == 0


@pytest.mark.parametrize('dtype', '?bBhHiIlLqQefdg')
def test_every_number_is_read(dtype, tmp_path):
    content = dict(array=np.ones((2, 3), dtype), scalar=np.ones(1, dtype)[0])
    torch.save(content, tmp_path / 'a.pth')
    read = load_checkpoint(tmp_path / 'a.pth')
    assert read['array'].tolist() == content['array'].tolist()
    assert type(read['array']) is np.ndarray
    assert read['scalar'] == 1
    for key in content:
        assert read[key].dtype == content[key].dtype


@pytest.mark.parametrize('key', ['config', 'cfg'])
def test_a_config_in_a_checkpoint_is_not_run(key, trace, make_runner, tmp_path):
    make_runner(train_cfg=dict(max_epochs=1)).train()
    path = tmp_path / 'epoch_1.pth'
    saved = load_checkpoint(path)
    for program in (
        f'open({str(trace)!r}, "w")',
        f'a = open({str(trace)!r}, "w")',
        f'a = dict(b=[open({str(trace)!r}, "w")])',
        f'import os\nos.system("touch {trace}")',
        '_base_ = "other.py"',
        b'a = 1',
    ):
        saved['meta'][key] = program
        torch.save(saved, path)
        assert key not in load_checkpoint(path)['meta']
        runner = make_runner(resume=True, load_from=str(path))
        runner.train()
        assert runner.iter == 6
    assert not trace.exists()
    trust_checkpoints()
    assert load_checkpoint(path)['meta'][key] == b'a = 1'


def test_a_plain_config_stays(make_runner, tmp_path):
    runner = make_runner(train_cfg=dict(max_epochs=1))
    runner.train()
    meta = load_checkpoint(tmp_path / 'epoch_1.pth')['meta']
    assert meta['cfg'] == runner.cfg.pretty_text


def test_a_damaged_file_is_refused_or_read_whole(tmp_path):
    """300 files with a few bytes flipped, replaced, swapped or cut off."""
    weights = {f'layer{i}.weight': torch.full((20,), float(i)) for i in range(3)}
    logs = HistoryBuffer([1.0, 0.5], [1, 1])
    torch.save(dict(state_dict=weights, logs=logs, meta={}), tmp_path / 'a.pth')
    content = (tmp_path / 'a.pth').read_bytes()
    draw = random.Random(0)
    refused = 0
    for i in range(300):
        damaged = bytearray(content)
        place, other = sorted(draw.sample(range(len(content)), 2))
        if i % 4 == 0:
            damaged[place] ^= 1 << draw.randrange(8)
        elif i % 4 == 1:
            damaged[place : place + 8] = draw.randbytes(8)
        elif i % 4 == 2:
            damaged[place], damaged[other] = damaged[other], damaged[place]
        else:
            del damaged[place:]
        try:
            read = read_file(io.BytesIO(damaged))
        except ValueError:
            refused += 1
            continue
        assert read['state_dict'].keys() == weights.keys(), i
        for name, weight in weights.items():
            assert torch.equal(read['state_dict'][name], weight), (i, name)
        assert read['logs'].data[0].tolist() == [1, 0.5], i
    assert refused > 100


def test_a_file_that_claims_to_be_huge(tmp_path):
    torch.save(torch.zeros(1000), tmp_path / 'a.pth')
    small = io.BytesIO()
    with (
        zipfile.ZipFile(tmp_path / 'a.pth') as whole,
        zipfile.ZipFile(small, 'w', zipfile.ZIP_DEFLATED) as archive,
    ):
        for part in whole.infolist():
            archive.writestr(part.filename, bytes(1 << 20))
    with pytest.raises(ValueError, match='says that it holds more than its'):
        read_file(io.BytesIO(small.getvalue()))
