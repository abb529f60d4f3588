import json
import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer


@pytest.fixture
def extract(tool):
    return tool('model_converters/extract_student')


def checkpoint(**changes):
    """A checkpoint of MMEngine, with its logs: numpy scalars and HistoryBuffers."""
    return {
        'meta': {'epoch': 3, 'cfg': 'model = ...', 'dataset_meta': {'classes': ('a',)}},
        'message_hub': {
            'log_scalars': {'train/loss': HistoryBuffer([1.0, 0.5], [1, 1])},
            'runtime_info': {'best': np.float64(0.5)},
        },
        'optimizer': {'state': {}},
        'state_dict': {
            'architecture.fc.weight': torch.ones(2),
            'architecture.data_preprocessor.mean': torch.zeros(3),
            'data_preprocessor.mean': torch.zeros(3),
            'teacher.fc.weight': torch.zeros(4),
            'distiller.stages.0.weight': torch.zeros(1),
        },
        **changes,
    }


def test_keeps_the_student_and_what_describes_it(extract, tmp_path):
    torch.save(checkpoint(), tmp_path / 'in.pth')
    extract.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
    student = torch.load(tmp_path / 'out.pth', weights_only=True)
    assert list(student['state_dict']) == ['fc.weight', 'data_preprocessor.mean']
    assert student['state_dict']['fc.weight'].tolist() == [1, 1]
    assert student['meta'] == {
        'epoch': 3,
        'distill_cfg': 'model = ...',
        'dataset_meta': {'classes': ('a',)},
    }


@pytest.mark.parametrize(
    'content, message',
    [
        (checkpoint(state_dict={'fc.weight': torch.ones(1)}), r"no 'architecture\.\*'"),
        ({'fc.weight': torch.ones(1)}, "no 'state_dict' in it"),
        (
            checkpoint(state_dict={'architecture.fc.bias': torch.ones(1) / 0}),
            r'not finite \(fc.bias\); take an earlier',
        ),
    ],
)
def test_not_a_distillation_checkpoint(extract, tmp_path, content, message):
    path = tmp_path / 'in.pth'
    torch.save(content, path)
    with pytest.raises(SystemExit, match=message) as error:
        extract.main([str(path), str(tmp_path / 'out.pth')])
    assert str(path) in str(error.value)
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize('content', [None, b'', b'no checkpoint', b'PK\x03\x04cut'])
def test_unreadable_file(extract, tmp_path, content):
    path = tmp_path / 'in.pth'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit, match='cannot be read|can not be found') as error:
        extract.main([str(path), str(tmp_path / 'out.pth')])
    assert str(path) in str(error.value)


def test_the_checkpoint_itself_is_not_overwritten(extract, tmp_path, capsys):
    path = tmp_path / 'in.pth'
    torch.save(checkpoint(), path)
    (tmp_path / 'link.pth').symlink_to(path)
    before = path.read_bytes()
    for out, message in (
        (path, 'is the distillation checkpoint itself'),
        (tmp_path / 'link.pth', 'is the distillation checkpoint itself'),
    ):
        with pytest.raises(SystemExit):
            extract.main([str(path), str(out)])
        assert message in capsys.readouterr().err
    assert path.read_bytes() == before


def test_file_in_a_folder_is_named_with_its_hash(extract, tmp_path, capsys):
    torch.save(checkpoint(ema_state_dict={}), tmp_path / 'epoch_3.pth')
    extract.main([str(tmp_path / 'epoch_3.pth'), str(tmp_path)])
    (file,) = tmp_path.glob('epoch_3-*.pth')
    assert file.stem == f'epoch_3-{sha256(file.read_bytes()).hexdigest()[:8]}'
    assert "the student's averages (EMA), 2 tensors" in capsys.readouterr().out


WITHOUT_FAMKD = """
import json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('famkd', 'mmrazor'):
            raise ImportError(name)

sys.meta_path.insert(0, Blocker())
import torch
from mmengine.runner import load_checkpoint
from mmpretrain.registry import MODELS
import mmpretrain.models

model = MODELS.build(json.loads(sys.argv[2])).eval()
load_checkpoint(model, sys.argv[1], strict=True)
print(json.dumps(model(torch.ones(1, 3, 32, 32)).tolist()))
"""


def test_the_student_is_used_without_famkd(extract, distillation, build, tmp_path):
    """A network of mmpretrain, in a process that cannot import famkd or MMRazor."""
    network = dict(
        type='ImageClassifier',
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=4, in_channels=32),
    )
    stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck']
    model = build(
        {
            **distillation(student_stages=stages),
            'architecture': {**network, '_scope_': 'mmpretrain'},
            'input_shape': (3, 32, 32),
        }
    ).eval()
    saved = dict(state_dict=model.state_dict(), meta=dict(cfg='custom_imports = 0'))
    torch.save(saved, tmp_path / 'in.pth')
    extract.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
    command = [sys.executable, '-c', WITHOUT_FAMKD]
    done = subprocess.run(
        [*command, str(tmp_path / 'out.pth'), json.dumps(network)],
        check=True,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    scores = torch.tensor(json.loads(done.stdout.splitlines()[-1]))
    torch.testing.assert_close(scores, model.student(torch.ones(1, 3, 32, 32)))
