import logging
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from famkd.models.algorithms import teacher_weights
from famkd.models.algorithms.teacher_weights import load_teacher


@pytest.fixture
def teacher(build, classifier):
    return build(classifier(12))


@pytest.fixture
def save(tmp_path):
    """Function (content, name): path of a checkpoint with this content."""

    def save(content, name='teacher.pth'):
        torch.save(content, tmp_path / name)
        return str(tmp_path / name)

    return save


def other_weights(teacher):
    """A state dict that fits, but has other values."""
    return {k: v + (v.is_floating_point()) for k, v in teacher.state_dict().items()}


@pytest.mark.parametrize('form', ['plain', 'state_dict', 'parallel'])
def test_checkpoint_fills_the_teacher(form, teacher, save):
    weights = other_weights(teacher)
    content = {
        'plain': weights,
        'state_dict': {'state_dict': weights, 'meta': {}},
        'parallel': {'state_dict': {f'module.{k}': v for k, v in weights.items()}},
    }[form]
    load_teacher(teacher, save(content))
    # What the runner calls must not draw new weights.
    teacher.init_weights()
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_entries_of_no_use_are_named(teacher, save, monkeypatch):
    weights = {**other_weights(teacher), 'auxiliary_head.fc.bias': torch.zeros(1)}
    log = Mock()
    monkeypatch.setattr(teacher_weights, 'print_log', log)
    load_teacher(teacher, save(weights))
    log.assert_called_once_with(
        'teacher_ckpt: 1 entries are of no use (auxiliary_head.fc.bias)',
        'current',
        logging.WARNING,
    )


def test_checkpoint_of_a_deeper_network(teacher, build, classifier, save):
    """All that the teacher has fits: the networks may have been swapped."""
    path = save(build(classifier(12, depth=14)).state_dict())
    message = r'0 of its .* 36 are of no use \(backbone.layer1.1.conv1.weight, .*set m'
    with pytest.raises(ValueError, match=message):
        load_teacher(teacher, path)
    load_teacher(teacher, path, allow_unused=True)


def test_a_teacher_that_is_a_backbone_only(build, classifier, save):
    path = save(build(classifier(12)).state_dict())
    load_teacher(build({**classifier(12), 'head': None}), path)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda w: w.int(), 'conv1.weight is of torch.int32, the teacher has'),
        (lambda w: w.cfloat(), 'conv1.weight is of torch.complex64'),
        (lambda w: w.tolist(), 'conv1.weight is of list'),
        (lambda w: w / 0, r'1 of its 56 entries .* not finite \(backbone.conv1.weight'),
    ],
    ids=['integers', 'complex', 'no tensor', 'not finite'],
)
def test_values_that_are_no_weights(change, message, teacher, save):
    weights = other_weights(teacher)
    weights['backbone.conv1.weight'] = change(weights['backbone.conv1.weight'])
    before = teacher.head.fc.weight.clone()
    with pytest.raises(ValueError, match=f'teacher.pth.*{message}'):
        load_teacher(teacher, save(weights), allow_random=True)
    assert torch.equal(teacher.head.fc.weight, before)


def test_two_values_of_one_name(teacher, save):
    weights = other_weights(teacher)
    weights['module.head.fc.bias'] = weights['head.fc.bias'] + 1
    with pytest.raises(ValueError, match='both head.fc.bias and module.head.fc.bias'):
        load_teacher(teacher, save(weights))


def test_a_random_teacher_must_be_asked_for(teacher):
    with pytest.raises(ValueError, match=r'allow_random_teacher=True if that is meant'):
        load_teacher(teacher, None)
    load_teacher(teacher, None, allow_random=True)


def test_no_file(teacher):
    with pytest.raises(
        FileNotFoundError, match="teacher_ckpt='no/such.pth': no such file; train the"
    ):
        load_teacher(teacher, 'no/such.pth')


def test_truncated_file(teacher, save, tmp_path):
    path = tmp_path / 'cut.pth'
    with open(save(teacher.state_dict()), 'rb') as file:
        path.write_bytes(file.read()[:2000])
    with pytest.raises(
        ValueError,
        match=r"cut.pth' cannot be loaded: .*is the file comp",
    ):
        load_teacher(teacher, str(path))


def test_a_file_of_something_else(teacher, save):
    with pytest.raises(ValueError, match='cannot be loaded: .* no state dict'):
        load_teacher(teacher, save([1, 2, 3]))


@pytest.mark.parametrize('allow_random', [False, True])
def test_checkpoint_of_another_width(allow_random, teacher, build, classifier, save):
    path = save(build(classifier(8)).state_dict())
    before = teacher.state_dict()
    with pytest.raises(ValueError) as error:
        load_teacher(teacher, path, allow_random)
    message = str(error.value)
    assert message.startswith(f'teacher_ckpt={path!r} does not fit the teacher')
    assert '0 of its' in message
    assert 'conv1.weight is (8, 3, 3, 3), the teacher has (12, 3, 3, 3)' in message
    assert 'model.teacher' in message
    assert all(torch.equal(v, before[k]) for k, v in teacher.state_dict().items())


def test_checkpoint_that_leaves_weights_out(teacher, save):
    weights = other_weights(teacher)
    kept = {k: v for k, v in weights.items() if not k.startswith('head')}
    path = save(kept)
    with pytest.raises(
        ValueError, match=r'2 of its \d+ entries are missing \(head.fc.weight, head.fc'
    ):
        load_teacher(teacher, path)
    before = teacher.head.fc.weight.clone()
    load_teacher(teacher, path, allow_random=True)
    assert torch.equal(teacher.head.fc.weight, before)
    name = 'backbone.conv1.weight'
    assert torch.equal(teacher.state_dict()[name], weights[name])


def test_old_checkpoint_without_batch_counts(teacher, save):
    weights = other_weights(teacher)
    load_teacher(
        teacher, save({k: v for k, v in weights.items() if 'num_batches' not in k})
    )


def test_checkpoint_of_a_distillation(teacher, save):
    weights = {f'architecture.{k}': v for k, v in teacher.state_dict().items()}
    with pytest.raises(
        ValueError, match='is of a distillation: take .*extract_student'
    ):
        load_teacher(teacher, save({'state_dict': weights}))


def test_processes_share_the_pages_of_the_file(teacher, save):
    load_teacher(teacher, save(other_weights(teacher)))
    maps = Path('/proc/self/smaps')
    if not maps.is_file():
        pytest.skip('only Linux says what is mapped')
    address = teacher.backbone.layer3[0].conv2.weight.data_ptr()
    ranges = [line.split() for line in maps.read_text().splitlines() if '-' in line]
    owner = [
        words[-1]
        for words in ranges
        if len(words[0].split('-')) == 2
        and int(words[0].split('-')[0], 16) <= address < int(words[0].split('-')[1], 16)
    ]
    assert owner[0].endswith('teacher.pth')


def test_safetensors(teacher, tmp_path):
    torch_files = pytest.importorskip('safetensors.torch')
    weights = other_weights(teacher)
    path = tmp_path / 'teacher.safetensors'
    torch_files.save_file(weights, path)
    load_teacher(teacher, str(path))
    assert torch.equal(teacher.head.fc.weight, weights['head.fc.weight'])
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match='cannot be read as safetensors.*complete?'):
        load_teacher(teacher, str(path))
