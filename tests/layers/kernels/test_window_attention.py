"""The kernels of window attention against the reference form.

The Triton kernels take part where there is a GPU. In Triton's interpreter
(TRITON_INTERPRET=1), where test_triton.py runs this file again, they are those of the
CPU.
"""

import os

import pytest
import torch

from famkd.layers.kernels import attention, reference, window_attention

INTERPRETED = os.environ.get('TRITON_INTERPRET') == '1'
DEVICES = ['cpu', 'cuda'] if torch.cuda.is_available() else ['cpu']
if INTERPRETED:
    DEVICES = ['cpu']
    attention.forward.register_kernel('cpu', attention.forward_cuda)
    attention.backward.register_kernel('cpu', attention.backward_cuda)

SHAPES = [
    (1, 1, 1, 1),
    (2, 4, 1, 7),
    (2, 2, 9, 1),
    (2, 4, 3, 5),
    (1, 2, 8, 8),
    (1, 2, 7, 33),
    (1, 1, 40, 16),
]
CASES = [
    *((shape, torch.float64, 1e-12) for shape in SHAPES),
    *((shape, torch.float32, 3e-6) for shape in SHAPES[3:]),
    ((2, 4, 3, 5), torch.bfloat16, 1e-2),
    ((2, 4, 3, 5), torch.float16, 1e-3),
]


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def inputs(device, shape, dtype=torch.float32, scale=1.0):
    """q, k, v, r that require gradients, and a gradient of the output."""
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(4, *shape, generator=generator, dtype=torch.float64)
    bias = torch.randn(shape[1], 3, 3, generator=generator, dtype=torch.float64)
    *tensors, grad_out = (
        x.to(device, dtype) for x in (*random[:3] * scale, bias, random[3])
    )
    return [x.clone().requires_grad_() for x in tensors], grad_out


def run(tensors, grad_out, attend=window_attention):
    """The output and the four gradients, in float64."""
    out = attend(*tensors)
    grads = torch.autograd.grad(out, tensors, grad_out.to(out.dtype))
    return [x.detach().double() for x in (out, *grads)]


def relative_errors(tensors, grad_out):
    """Of the output and the gradients, to the reference in float64."""
    expected = run(
        [x.detach().double().requires_grad_() for x in tensors],
        grad_out.double(),
        reference.window_attention,
    )
    return [
        ((x - y).abs().max() / y.abs().max()).item()
        for x, y in zip(run(tensors, grad_out), expected, strict=True)
    ]


@pytest.mark.parametrize('shape, dtype, tolerance', CASES, ids=str)
def test_values_and_gradients(device, shape, dtype, tolerance):
    tensors, grad_out = inputs(device, shape, dtype)
    assert max(relative_errors(tensors, grad_out)) < tolerance


def test_dtypes(device):
    tensors, _ = inputs(device, (1, 2, 3, 3), torch.bfloat16)
    tensors[3] = tensors[3].detach().float().requires_grad_()  # as under autocast
    out = window_attention(*tensors)
    out.sum().backward()
    assert out.dtype == torch.bfloat16
    assert [x.grad.dtype for x in tensors] == [torch.bfloat16] * 3 + [torch.float32]


def test_gradcheck(device):
    if INTERPRETED:
        pytest.skip('takes minutes in the interpreter')
    tensors, _ = inputs(device, (2, 2, 3, 4), torch.float64)
    assert torch.autograd.gradcheck(window_attention, tensors)


@pytest.mark.parametrize('which', ['key', 'all'])
def test_any_strides(device, which):
    tensors, grad_out = inputs(device, (1, 3, 4, 5))
    expected = run(tensors, grad_out)
    for i, name in enumerate(('query', 'key', 'value')):
        if which in (name, 'all'):
            tensors[i] = tensors[i].to(memory_format=torch.channels_last)
    channels_last = run(tensors, grad_out)
    sliced = [x.repeat(1, 2, 1, 1)[:, :3] for x in tensors[:3]] + [tensors[3]]
    for result in (channels_last, run(sliced, grad_out.mT.contiguous().mT)):
        for x, y in zip(result, expected, strict=True):
            torch.testing.assert_close(x, y)


def test_large_logits(device):
    tensors, grad_out = inputs(device, (2, 2, 6, 6), scale=100.0)
    assert max(relative_errors(tensors, grad_out)) < 1e-3
    tensors, grad_out = inputs(device, (2, 2, 6, 6), scale=1e10)
    assert all(x.isfinite().all() for x in run(tensors, grad_out)[:1])


@pytest.mark.parametrize('value', [0.0, -1e4])
def test_constant_maps(device, value):
    tensors, grad_out = inputs(device, (1, 2, 2, 3))
    constant = [torch.full_like(x, value).requires_grad_() for x in tensors[:3]]
    results = run([*constant, tensors[3]], grad_out)
    assert all(x.isfinite().all() for x in results)
    assert results[0].abs().max() <= abs(value) * (1 + 1e-6)


def test_nan_reaches_its_window_only(device):
    tensors, grad_out = inputs(device, (1, 2, 5, 17))
    for i, window in ((0, 1), (1, 9), (2, 9)):
        bad = [x.detach().clone().requires_grad_() for x in tensors]
        bad[i].data[0, 1, 2, 8] = float('nan')
        out, *grads = run(bad, grad_out)
        assert out.isnan().sum() == window and out[0, 1, 2, 8].isnan()
        assert not any(x[0, 0].isnan().any() for x in (out, *grads[:3]))
        assert grads[3][1].isnan().any() and not grads[3][0].isnan().any()
    # at the end of a row, next in memory to the start of another
    tensors[1].data[0, 1, 2, 16] = float('nan')
    out, grad_query, grad_key, grad_value, _ = run(tensors, grad_out)
    expected = torch.zeros(5, 17, dtype=torch.bool)
    expected[1:4, 15:] = True
    assert torch.equal(out[0, 1].isnan(), expected)
    assert torch.equal(grad_query[0, 1].isnan(), expected)
    assert not grad_key[0, 1, :, 0].isnan().any()
    assert not grad_value[0, 1, :, 0].isnan().any()


def test_deterministic(device, set_threads):
    tensors, grad_out = inputs(device, (3, 2, 8, 8))
    first = run(tensors, grad_out)
    for threads in (1, 2):
        set_threads(threads)
        assert all(map(torch.equal, first, run(tensors, grad_out)))


def test_activation_memory(device):
    tensors, _ = inputs(device, (2, 4, 8, 8))
    saved = {}

    def pack(x):
        saved[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        window_attention(*tensors)
    assert sum(saved.values()) < 3.1 * tensors[0].nbytes


def test_torch_compile(device):
    torch._dynamo.reset()
    tensors, grad_out = inputs(device, (2, 2, 5, 6))
    compiled = torch.compile(window_attention, fullgraph=True, backend='aot_eager')
    out = compiled(*tensors)
    grads = torch.autograd.grad(out, tensors, grad_out)
    for x, y in zip((out, *grads), run(tensors, grad_out), strict=True):
        torch.testing.assert_close(x.double(), y)


def test_operator_contract(device):
    tensors, _ = inputs(device, (2, 2, 3, 4))
    torch.library.opcheck(torch.ops.famkd.window_attention.default, tuple(tensors))


def test_empty_batch(device):
    tensors, grad_out = inputs(device, (0, 2, 3, 3))
    out, *grads = run(tensors, grad_out)
    assert out.shape == (0, 2, 3, 3)
    assert torch.equal(grads[3], torch.zeros_like(grads[3]))


def test_no_second_derivative(device):
    tensors, _ = inputs(device, (1, 2, 3, 3))
    out = window_attention(*tensors)
    (grad,) = torch.autograd.grad(out.sum(), tensors[0], create_graph=True)
    with pytest.raises(RuntimeError, match='first derivatives only.*reference'):
        grad.sum().backward()
