"""The authors' file of prompts, as a file of famkd."""

import pytest
import torch

from famkd.models.prompt_file import read_prompts


@pytest.fixture
def converter(tool):
    return tool('model_converters/freekd_prompts')


def released(**changes):
    """The keys of the released file, for two maps of 8 channels."""
    weights = {}
    for i in range(2):
        weights[f'mask_modules.{i}.mask_token'] = torch.randn(4, 6, 8)
        weights[f'mask_modules.{i}.prob.0.weight'] = torch.randn(6, 8, 3, 3)
        weights[f'mask_modules.{i}.prob.2.bias'] = torch.randn(6)
        weights[f'mask_modules.{i}.xfm.h0_col'] = torch.randn(1, 1, 2, 1)
    return {key: x for key, x in {**weights, **changes}.items() if x is not None}


@pytest.mark.parametrize('wrapped', [False, True])
def test_prompts_are_what_a_distillation_reads(converter, tmp_path, capsys, wrapped):
    weights = released()
    content = dict(state_dict=weights, meta={}) if wrapped else weights
    torch.save(content, tmp_path / 'in.pth')
    converter.main([str(tmp_path / 'in.pth'), str(tmp_path / 'new/out.pth')])
    prompts, note = read_prompts(str(tmp_path / 'new/out.pth'))
    assert len(prompts) == 2
    for i, prompt in enumerate(prompts):
        assert torch.equal(prompt, weights[f'mask_modules.{i}.mask_token'])
    assert note == {}
    assert '2 maps, (bands, T, C) (4, 6, 8)' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'mask_modules.0.mask_token': None}, r'found \[1\]: not prompts of FreeKD'),
        (
            {'mask_modules.1.mask_token': torch.zeros(6, 8)},
            r'1.* the shape \(6, 8\), not',
        ),
        ({'mask_modules.1.mask_token': torch.full((4, 6, 8), torch.nan)}, 'not finite'),
        ({'mask_modules.1.mask_token': 'text'}, 'is a str, no tensor'),
    ],
)
def test_other_files_are_errors(converter, tmp_path, changes, message):
    torch.save(released(**changes), tmp_path / 'in.pth')
    with pytest.raises(SystemExit, match=message) as error:
        converter.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
    assert 'in.pth' in str(error.value)
    assert not (tmp_path / 'out.pth').exists()


def test_a_list_is_an_error(converter, tmp_path):
    torch.save([1], tmp_path / 'in.pth')
    with pytest.raises(SystemExit, match='a list, no state dict: not prompts'):
        converter.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
