import pytest
import torch

from famkd.layers import LocalAttention
from famkd.layers.kernels.layout import is_channels_last
from famkd.layers.local_attention import Projection
from famkd.layers.reference import ReferenceLocalAttention


def by_hand(module, x, y):
    """The formula for every pixel and channel: nothing is unfolded or padded."""
    weights = [conv.weight[:, :, 0, 0] for conv in (module.query, module.key)]
    query = torch.einsum('oc,nchw->nohw', weights[0], y)
    key = torch.einsum('oc,nchw->nohw', weights[1], x)
    value = torch.einsum('oc,nchw->nohw', module.value.weight[:, :, 0, 0], x)
    batch, channels, height, width = x.shape
    pixels = []
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                logits, values = [], []
                for a in range(3):
                    for b in range(3):
                        row, column = i + a - 1, j + b - 1
                        inside = 0 <= row < height and 0 <= column < width
                        zero = x.new_zeros(batch)
                        k = key[:, c, row, column] if inside else zero
                        v = value[:, c, row, column] if inside else zero
                        if c < channels // 2:
                            r = module.rel_h[c, a]
                        else:
                            r = module.rel_w[c - channels // 2, b]
                        logits.append(query[:, c, i, j] * (k + r))
                        values.append(v)
                weights = torch.stack(logits).softmax(dim=0)
                pixels.append((weights * torch.stack(values)).sum(dim=0))
    return torch.stack(pixels, dim=1).view(batch, channels, height, width)


def gradients(out, cotangent, module, inputs):
    return torch.autograd.grad(out, [*inputs, *module.parameters()], cotangent)


@pytest.mark.parametrize('size', [(4, 4), (3, 5), (1, 1), (1, 4), (2, 1)], ids=str)
@pytest.mark.parametrize('cross', [True, False], ids=['cross', 'self'])
def test_equals_the_formula(size, cross):
    torch.manual_seed(0)
    module = LocalAttention(4).double()
    inputs = torch.randn(1 + cross, 2, 4, *size, dtype=torch.float64)
    inputs = [x.requires_grad_() for x in inputs.unbind()]
    cotangent = torch.randn(2, 4, *size, dtype=torch.float64)
    out = module(*inputs)
    expected = by_hand(module, inputs[0], inputs[-1])
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(
        gradients(out, cotangent, module, inputs),
        gradients(expected, cotangent, module, inputs),
    )


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast(dtype):
    torch.manual_seed(0)
    module = LocalAttention(8)
    x, y = torch.randn(2, 2, 8, 7, 9)
    expected = module(x, y)
    with torch.autocast('cpu', dtype):
        out = module(x, y)
    error = (out.float() - expected).abs().max() / expected.abs().max()
    assert error < 1e-2
    out.float().square().mean().backward()
    assert all(p.grad.dtype == torch.float32 for p in module.parameters())
    assert all(p.grad.isfinite().all() for p in module.parameters())


def test_initialisation_is_the_released_one():
    torch.manual_seed(0)
    module = LocalAttention(128)
    for conv in (module.query, module.key, module.value):
        assert conv.bias is None
        # Kaiming normal, fan-out 128.
        assert conv.weight.std().item() == pytest.approx((2 / 128) ** 0.5, rel=0.05)
    positions = torch.cat((module.rel_h, module.rel_w))
    assert positions.mean().item() == pytest.approx(0, abs=0.1)
    assert positions.std().item() == pytest.approx(1, rel=0.1)


def test_channels_last():
    torch.manual_seed(0)
    layer = LocalAttention(4)
    x, y, cotangent = torch.randn(3, 2, 4, 5, 3)
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        layer.to(memory_format=layout)
        inputs = [t.clone(memory_format=layout).requires_grad_() for t in (x, y)]
        out = layer(*inputs)
        results.append([out, *gradients(out, cotangent, layer, inputs)])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_it_compiles_without_a_graph_break(layout):
    layer = LocalAttention(4)
    x = torch.randn(2, 4, 5, 3).to(memory_format=layout)
    compiled = torch.compile(layer, fullgraph=True, backend='aot_eager')
    torch.testing.assert_close(compiled(x), layer(x))


def test_empty_batch():
    layer = LocalAttention(4)
    layer(torch.ones(0, 4, 3, 5)).sum().backward()
    assert all(torch.equal(p.grad, 0 * p) for p in layer.parameters())


@pytest.mark.parametrize('capability', ['AVX2', 'AVX512'])
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    'shape', [(2, 4, 5, 3), (1, 20, 3, 4), (2, 20, 4, 6), (0, 4, 2, 2)], ids=str
)
def test_projections_are_convolutions(shape, layout, capability, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: capability)
    layer = Projection(shape[1])
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        layer.to(dtype)
        x = torch.randn(shape, dtype=dtype).to(memory_format=layout).requires_grad_()
        out, expected = layer(x), torch.nn.functional.conv2d(x, layer.weight)
        assert is_channels_last(out) == is_channels_last(x)
        cotangent = torch.randn_like(out)
        tolerance = 3e-2 if dtype == torch.bfloat16 else 1e-5
        torch.testing.assert_close(
            [out, *gradients(out, cotangent, layer, [x])],
            [expected, *gradients(expected, cotangent, layer, [x])],
            atol=tolerance,
            rtol=tolerance,
        )


def test_reference_form():
    torch.manual_seed(0)
    layer, reference = LocalAttention(4), ReferenceLocalAttention(4)
    reference.load_state_dict(layer.state_dict())
    x, y = torch.randn(2, 2, 4, 5, 3)
    torch.testing.assert_close(layer(x, y), reference(x, y))


def test_odd_channels():
    with pytest.raises(
        ValueError,
        match=r'channels=5 is odd, but local attention .* use an even number',
    ):
        LocalAttention(5)


@pytest.mark.parametrize('form', [LocalAttention, ReferenceLocalAttention])
@pytest.mark.parametrize('size', [(2, 3), (4, 6), (1, 1), (9, 7)], ids=str)
def test_query_of_another_size_is_resized_by_nearest_neighbours(form, size):
    torch.manual_seed(0)
    module = form(4).double()
    x = torch.randn(2, 4, 4, 6, dtype=torch.float64)
    y = torch.randn(2, 4, *size, dtype=torch.float64, requires_grad=True)
    resized = torch.nn.functional.interpolate(y, (4, 6), mode='nearest')
    cotangent = torch.randn_like(x)
    outs = module(x, y), module(x, resized)
    torch.testing.assert_close(*outs)
    torch.testing.assert_close(
        *(gradients(out, cotangent, module, [y]) for out in outs)
    )
