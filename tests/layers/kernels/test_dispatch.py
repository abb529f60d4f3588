"""Which backend computes window attention, and what is refused."""

import logging

import pytest
import torch

from famkd.layers.kernels import dispatch, window_attention


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.delenv('FAMKD_ATTENTION', raising=False)
    for function in (dispatch._fastest_backend, dispatch._log):
        function.cache_clear()
    yield
    for function in (dispatch._fastest_backend, dispatch._log):
        function.cache_clear()


def inputs():
    return [torch.randn(2, 4, 3, 3) for _ in range(3)] + [torch.randn(4, 3, 3)]


@pytest.fixture
def used(monkeypatch):
    """The backends that computed something, in order."""
    names = []
    reference, op = dispatch.reference, dispatch.op
    for module, name in ((reference, lambda *_: 'reference'), (op, lambda *x: x[-1])):
        function = module.window_attention

        def spy(*args, function=function, name=name):
            names.append(name(*args))
            return function(*args)

        monkeypatch.setattr(module, 'window_attention', spy)
    return names


def test_choice(used, monkeypatch):
    window_attention(*inputs())
    window_attention(*inputs(), backend='reference')
    monkeypatch.setenv('FAMKD_ATTENTION', 'reference')
    window_attention(*inputs())
    window_attention(*inputs(), backend='cpu')  # the argument comes first
    assert used == ['cpu', 'reference', 'reference', 'cpu']


def test_other_devices_use_the_reference(used):
    out = window_attention(*(x.to('meta') for x in inputs()))
    assert out.shape == (2, 4, 3, 3) and used == ['reference']


def test_choice_is_logged_once(caplog):
    with caplog.at_level(logging.INFO, logger='famkd'):
        for _ in range(2):
            window_attention(*inputs())
            window_attention(*inputs(), backend='reference')
    assert caplog.messages == [
        f'famkd: window attention uses the {name} backend'
        for name in ('cpu', 'reference')
    ]


def test_choice_within_torch_compile(caplog):
    torch._dynamo.reset()
    tensors = inputs()
    with caplog.at_level(logging.INFO, logger='famkd'):
        out = torch.compile(window_attention, fullgraph=True)(*tensors)
    assert 'famkd: window attention uses the cpu backend' in caplog.messages
    assert torch.equal(out, window_attention(*tensors))


def test_unknown_backend(monkeypatch):
    with pytest.raises(ValueError, match=r"backend = 'gpu' .*reference, cpu, triton"):
        window_attention(*inputs(), backend='gpu')
    monkeypatch.setenv('FAMKD_ATTENTION', 'fast')
    with pytest.raises(
        ValueError, match=r"FAMKD_ATTENTION = 'fast' .*reference, cpu, triton"
    ):
        window_attention(*inputs())


def test_backend_of_another_device():
    with pytest.raises(ValueError, match="'cpu' needs tensors on the CPU, got meta"):
        window_attention(*(x.to('meta') for x in inputs()), backend='cpu')


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
