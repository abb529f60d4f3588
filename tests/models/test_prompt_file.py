"""What is read as prompts, and what is said to other files."""

import json

import pytest
import torch

from famkd.models.prompt_file import check_prompts, read_prompts


@pytest.fixture
def save(tmp_path):
    """Function (state_dict): path of a file that holds it."""

    def save(state_dict):
        path = str(tmp_path / 'prompts.pth')
        torch.save(dict(state_dict=state_dict), path)
        return path

    return save


def test_prompts_and_their_teacher(save):
    values = [torch.randn(4, 2, 8), torch.randn(4, 2, 8)]
    note = dict(path='teacher.pth', hash='0123')
    path = save(
        {
            'prompts.1.prompt': values[1],
            'prompts.0.prompt': values[0],
            '_extra_state': torch.tensor(list(json.dumps(note).encode())).byte(),
        }
    )
    prompts, tuned_on = read_prompts(path)
    assert all(map(torch.equal, prompts, values))
    assert tuned_on == note


def test_a_file_may_not_say_its_teacher(save):
    _, tuned_on = read_prompts(save({'prompts.0.prompt': torch.zeros(4, 2, 8)}))
    assert tuned_on == {}


def test_saved_parameters_are_as_frozen_as_others(save):
    path = save({'prompts.0.prompt': torch.nn.Parameter(torch.zeros(4, 2, 8))})
    assert not read_prompts(path)[0][0].requires_grad


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='missing.pth.*tune the prompts'):
        read_prompts(str(tmp_path / 'missing.pth'))


def test_a_damaged_file(tmp_path):
    path = tmp_path / 'damaged.pth'
    path.write_bytes(b'PK no checkpoint')
    with pytest.raises(ValueError, match=r'damaged.pth.*cannot be loaded'):
        read_prompts(str(path))


@pytest.mark.parametrize(
    ('key', 'message'),
    [
        ('architecture.backbone.conv1.weight', 'of a distillation .stage 2.*stage 1'),
        ('module.mask_modules.0.mask_token', "authors' file; convert.*freekd_prompts"),
        ('backbone.conv1.weight', r'in it \(keys: backbone.conv1.weight\); give the'),
        ('prompts.1.prompt', 'of 1 maps, but no prompts.0.prompt; give the whole'),
    ],
)
def test_another_kind_of_file(key, message, save):
    with pytest.raises(ValueError, match=message):
        read_prompts(save({key: torch.zeros(4, 2, 8)}))


@pytest.mark.parametrize(
    ('prompt', 'message'),
    [
        ('text', 'prompts.0.prompt is a str, no tensor; give the checkpoint of a'),
        (torch.zeros(4, 2, 8).int(), 'is of torch.int32 .*, no dense real numbers'),
        (torch.zeros(4, 2, 8).cfloat(), 'is of torch.complex64'),
        (torch.zeros(4, 2, 8).to_sparse(), 'and torch.sparse_coo, no dense'),
        (torch.zeros(8), r'the shape \(8,\), not \(levels . 1, T, C\)'),
        (torch.zeros(1, 2, 8), r'the shape \(1, 2, 8\), not'),
        (torch.zeros(4, 0, 8), r'the shape \(4, 0, 8\), not'),
        (torch.zeros(1).expand(4, 10**10, 8), 'but fewer values'),
        (torch.zeros(4, 2, 8, device='meta'), 'but fewer values'),
        (torch.full((4, 2, 8), float('nan')), 'is not finite; give'),
    ],
)
def test_a_prompt_of_another_form(prompt, message, save):
    path = save({1: 'of no use', 'prompts.0.prompt': prompt})
    with pytest.raises(ValueError, match=f'prompts.pth.*{message}'):
        read_prompts(path)


@pytest.mark.parametrize('content', [[1], {'state_dict': [1]}, 1.0])
def test_a_file_without_a_dict(content, tmp_path):
    torch.save(content, tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='list.pth.*cannot be loaded'):
        read_prompts(str(tmp_path / 'list.pth'))


@pytest.mark.parametrize(
    ('channels', 'levels', 'message'),
    [
        ([8], None, 'are of 2 maps, but the teacher has 1 stages'),
        ([8, 16], None, r'\[8, 8\] channels, but the stages .* have \[8, 16\]'),
        ([8, 8], 2, r'levels=2, but .* have \[3\] levels'),
    ],
)
def test_prompts_of_other_maps(channels, levels, message):
    prompts = [torch.zeros(4, 2, 8)] * 2
    check_prompts(prompts, [8, 8], 'a.pth', 3)
    with pytest.raises(ValueError, match=message):
        check_prompts(prompts, channels, 'a.pth', levels)


def test_prompts_of_several_levels():
    prompts = [torch.zeros(4, 2, 8), torch.zeros(3, 2, 8)]
    with pytest.raises(ValueError, match=r'have \[2, 3\] levels; give prompts of all'):
        check_prompts(prompts, [8, 8], 'a.pth')
