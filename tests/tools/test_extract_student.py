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
