import pytest
import torch

from famkd.models.distillers.tokens import tokens_to_map


def patches(height, width):
    """Tokens of one image whose first channel counts the patches, row by row."""
    count = torch.arange(height * width).float()
    return torch.stack((count, -count), dim=1)[None]


@pytest.mark.parametrize('num_extra', [0, 1])
def test_square_map_with_and_without_class_token(num_extra):
    tokens = torch.cat((torch.full((1, num_extra, 2), 99.0), patches(3, 3)), dim=1)
    image = tokens_to_map(tokens)
    assert image.shape == (1, 2, 3, 3)
    assert image[0, 0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert torch.equal(image[:, 1], -image[:, 0])


def test_size_and_several_extra_tokens():
    tokens = torch.cat((torch.full((1, 2, 2), 99.0), patches(2, 3)), dim=1)
    assert tokens_to_map(tokens, (2, 3))[0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_neither_a_square_nor_one_more():
    with pytest.raises(
        ValueError, match=r'gives 6 tokens, .* neither a square .* map_size=\(H, W\)'
    ):
        tokens_to_map(patches(2, 3))


def test_size_that_asks_for_more():
    with pytest.raises(ValueError, match=r'6 tokens, but map_size=\(2, 4\) asks for 8'):
        tokens_to_map(patches(2, 3), (2, 4))
