import pytest
import torch

from famkd.layers import resize_like


@pytest.mark.parametrize('side', [1, 2])
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_values_and_layout(side, layout):
    x = torch.randn(2, 3, side, side)
    like = torch.empty(2, 5, 4, 6).to(memory_format=layout)
    out = resize_like(x, like)
    rows, columns = torch.arange(4) * side // 4, torch.arange(6) * side // 6
    torch.testing.assert_close(out, x[..., rows[:, None], columns])
    assert out.is_contiguous(memory_format=layout)


def test_a_map_of_that_size_is_left_alone():
    x = torch.randn(2, 3, 4, 6)
    assert resize_like(x, torch.empty(2, 5, 4, 6)) is x
