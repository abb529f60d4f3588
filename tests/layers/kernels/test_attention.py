"""Which form of window attention is used, and bad input is refused."""

import logging

import pytest
import torch

from famkd.layers.kernels import attention, window_attention


@pytest.fixture(autouse=True)
def fresh():
    attention._find_kernel.cache_clear()
    yield
    attention._find_kernel.cache_clear()


def inputs():
    return [torch.randn(2, 4, 3, 3) for _ in range(3)] + [torch.randn(4, 3, 3)]


def test_the_kernel_of_the_device_is_used(caplog):
    with caplog.at_level(logging.INFO, logger='famkd'):
        for _ in range(2):
            out = window_attention(*inputs())
    assert out.shape == (2, 4, 3, 3)
    assert caplog.messages == ['famkd: window attention uses the cpu kernel']


def test_devices_without_a_kernel_use_the_reference_form(caplog):
    with caplog.at_level(logging.INFO, logger='famkd'):
        out = window_attention(*(x.to('meta') for x in inputs()))
    assert out.shape == (2, 4, 3, 3)
    assert caplog.messages == ['famkd: window attention uses the slow reference form']


@pytest.mark.parametrize(
    'index, replacement, message',
    [
        (0, torch.zeros(4, 3, 3), r'query must be .*\(N, C, H, W\), got .*\(4, 3, 3\)'),
        (0, torch.zeros(2, 4, 3, 3).int(), 'query must be a real floating-point'),
        (1, torch.zeros(2, 4, 3, 2), r'key must .*\(2, 4, 3, 3\).*got \(2, 4, 3, 2\)'),
        (2, torch.zeros(2, 4, 3, 3).half(), 'value must .*float32, got .*float16'),
        (3, torch.zeros(4, 9), r'bias must be \(C, 3, 3\) = \(4, 3, 3\), got \(4, 9\)'),
        (1, torch.zeros(2, 4, 3, 3, device='meta'), 'key is on meta but query is on'),
    ],
)
def test_bad_input(index, replacement, message):
    tensors = inputs()
    tensors[index] = replacement
    with pytest.raises(ValueError, match=message):
        window_attention(*tensors)
