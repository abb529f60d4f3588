import pytest
import torch

from famkd.layers import frequency_masks, prompted_map
from famkd.models import FrequencyPrompt


def test_it_masks_the_bands_of_its_map():
    x = torch.randn(2, 5, 13, 9)
    prompt = FrequencyPrompt(5, num_prompts=3, levels=2)
    assert prompt.prompt.shape == (3, 3, 5)
    expected = prompted_map(x, frequency_masks(x, prompt.prompt))
    torch.testing.assert_close(prompt(x), expected)


@pytest.mark.parametrize('count', [2, 6])
def test_it_starts_as_half_its_number_of_prompts(count):
    torch.manual_seed(0)
    x = torch.randn(1, 8, 16, 16)
    out = FrequencyPrompt(8, count)(x)
    torch.testing.assert_close(out, count / 2 * x, rtol=0.1, atol=0.1)


def test_another_number_of_channels_is_an_error():
    with pytest.raises(ValueError, match=r'\(N, 5, H, W\), got \(1, 4, 8, 8\)'):
        FrequencyPrompt(5)(torch.zeros(1, 4, 8, 8))


@pytest.mark.parametrize('name', ['num_prompts', 'levels'])
def test_there_is_at_least_one_prompt_and_one_level(name):
    with pytest.raises(ValueError, match=f'{name}=0'):
        FrequencyPrompt(5, **{name: 0})
