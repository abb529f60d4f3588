import copy

import pytest
import torch
from torch import nn

from famkd.layers import FrequencyAttention
from famkd.layers.reference import ReferenceFrequencyAttention

KINDS = ['ideal', 'gaussian', 'butterworth', 'none']
SIZES = [(8, 8), (7, 7), (6, 9), (5, 8), (1, 1), (1, 6), (5, 1), (2, 2), (24, 32)]


def make_pair(size, channels=(3, 4), dtype=torch.float32, **high_pass):
    """The fast and the reference form of one frequency attention."""
    torch.manual_seed(0)
    fast = FrequencyAttention(*channels, size, **high_pass).to(dtype)
    reference = ReferenceFrequencyAttention(*channels, size, **high_pass).to(dtype)
    # A bad case for the fast form: no symmetry at all.
    filter = torch.randn(*channels, *size, dtype=torch.complex128)
    for module in (fast, reference):
        module.load_full_spectrum(filter.to(dtype.to_complex()))
        module.gamma1.data.fill_(0.7)
        module.gamma2.data.fill_(-1.3)
    reference.local.load_state_dict(fast.local.state_dict())
    return fast, reference


def run(module, x, cotangent):
    """Output, gradient of the input, gradients of the parameters."""
    x = x.clone().requires_grad_()
    module.zero_grad()
    out = module(x)
    out.backward(cotangent)
    grads = {name: p.grad for name, p in module.named_parameters()}
    return out.detach(), x.grad, grads


def assert_close(ours, expected, tolerance):
    """Equal up to a fraction of the largest value."""
    atol = tolerance * max(expected.abs().max().item(), 1e-3)
    torch.testing.assert_close(ours, expected, rtol=0, atol=atol)


def assert_equivalent(fast, reference, batch, tolerance):
    """Same values and gradients as the reference form."""
    channels = fast.in_channels, fast.out_channels
    dtype = fast.gamma1.dtype
    x = torch.randn(batch, channels[0], *fast.size, dtype=dtype)
    cotangent = torch.randn(batch, channels[1], *fast.size, dtype=dtype)
    out, grad_x, grads = run(fast, x, cotangent)
    expected_out, expected_grad_x, expected_grads = run(reference, x, cotangent)
    assert_close(out, expected_out, tolerance)
    assert_close(grad_x, expected_grad_x, tolerance)
    # The coordinates in which the filter is stored are orthonormal: its gradient is
    # that of the full spectrum in these coordinates.
    grad_filter = expected_grads.pop('filter')
    coordinates = copy.deepcopy(fast)
    coordinates.load_full_spectrum(torch.complex(*grad_filter))
    assert_close(grads.pop('filter'), coordinates.filter.data, max(tolerance, 1e-6))
    assert grads.keys() == expected_grads.keys()
    for name, grad in grads.items():
        assert_close(grad, expected_grads[name], tolerance)


@pytest.mark.parametrize('size', SIZES, ids=str)
def test_every_size_equals_the_reference(size):
    pair = make_pair(size, cutoff=0.4)
    assert_equivalent(*pair, batch=2, tolerance=3e-5)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('size', [(8, 8), (7, 6)], ids=str)
def test_every_mask_equals_the_reference(size, kind):
    pair = make_pair(size, high_pass=kind, cutoff=0.6)
    assert_equivalent(*pair, batch=1, tolerance=3e-5)


def test_float64_equals_the_reference():
    pair = make_pair((20, 9), dtype=torch.float64, cutoff=0.5)
    assert_equivalent(*pair, batch=2, tolerance=1e-12)


@pytest.mark.parametrize('branch', ['global', 'local'])
def test_one_branch_alone(branch):
    fast, reference = make_pair((6, 7))
    other = {'global': 'gamma2', 'local': 'gamma1'}[branch]
    reference.get_parameter(other).data.zero_()
    alone = FrequencyAttention(
        3,
        4,
        (6, 7),
        global_branch=branch == 'global',
        local_branch=branch == 'local',
    )
    alone.load_state_dict(
        {k: v for k, v in fast.state_dict().items() if k in alone.state_dict()}
    )
    assert len(list(alone.parameters())) == {'global': 2, 'local': 3}[branch]
    x = torch.randn(2, 3, 6, 7)
    assert_close(alone(x), reference(x), 1e-5)


def test_no_branch():
    with pytest.raises(ValueError, match='global_branch=False and local_branch=False'):
        FrequencyAttention(2, 2, 4, global_branch=False, local_branch=False)


def test_gradcheck():
    module, _ = make_pair((4, 5), (2, 2), torch.float64, cutoff=0.5)
    names, parameters = zip(*module.named_parameters(), strict=True)

    def forward(x, *parameters):
        return torch.func.functional_call(
            module, dict(zip(names, parameters, strict=True)), (x,)
        )

    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(forward, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
# 7x7 and 12x20 are no powers of two: half-precision FFTs would refuse them.
@pytest.mark.parametrize('size', [(8, 8), (7, 7), (12, 20)], ids=str)
def test_autocast(size, dtype):
    module, reference = make_pair(size)
    x = torch.randn(2, 3, *size)
    cotangent = torch.randn(2, 4, *size)
    expected, expected_grad, _ = run(reference, x, cotangent)
    expected_grads = run(module, x, cotangent)[2]  # equal to the reference's, see above
    with torch.autocast('cpu', dtype):
        # What a convolution hands on under autocast is of half precision.
        for given in (x, x.to(dtype)):
            out, grad_x, grads = run(module, given, cotangent.to(given.dtype))
            assert_close(out.float(), expected, 1e-2)
            assert_close(grad_x.float(), expected_grad, 1e-2)
            for name, grad in grads.items():
                assert grad.dtype == torch.float32
                if grad.numel() > 1:  # the terms of a gamma's cancel each other out
                    assert_close(grad, expected_grads[name], 1e-2)


def test_sgd_moves_the_function_as_on_the_full_spectrum():
    fast, reference = make_pair((6, 8), cutoff=0.5)
    x, target = torch.randn(4, 3, 6, 8), torch.randn(4, 4, 6, 8)
    for module in (fast, reference):
        optimizer = torch.optim.SGD(
            module.parameters(), lr=0.5, momentum=0.9, weight_decay=0.01
        )
        for _ in range(10):
            optimizer.zero_grad()
            nn.functional.mse_loss(module(x), target).backward()
            optimizer.step()
    assert_close(fast(x), reference(x), 1e-4)
    # ... and the function has moved.
    assert (fast(x) - make_pair((6, 8), cutoff=0.5)[0](x)).abs().max() > 0.1


@pytest.mark.parametrize('size', SIZES, ids=str)
@pytest.mark.parametrize('kind', KINDS)
def test_full_spectrum_is_the_hermitian_part(size, kind):
    fast, reference = make_pair(size, high_pass=kind, cutoff=0.4)
    spectrum = fast.full_spectrum()
    # Real maps become real maps ...
    x = torch.randn(2, 3, *size)
    filtered = torch.fft.ifft2(
        torch.einsum('nihw,iohw->nohw', torch.fft.fft2(x), spectrum.cfloat())
    )
    assert_close(filtered.imag, torch.zeros_like(filtered.imag), 1e-2)
    # ... those of the reference, and loading what acts through no mask changes nothing.
    reference.gamma1.data.fill_(1)
    reference.gamma2.data.fill_(0)
    assert_close(filtered.real, reference(x), 1e-5)
    again = FrequencyAttention(3, 4, size, high_pass='none')
    again.load_full_spectrum(spectrum)
    assert_close(again.full_spectrum().abs(), spectrum.abs(), 1e-5)


def test_initialisation_is_the_released_one():
    torch.manual_seed(0)
    module = FrequencyAttention(6, 8, 16, high_pass='none')
    assert module.gamma1.item() == module.gamma2.item() == 0.5
    spectrum = module.full_spectrum() * 6 * 8
    # The Hermitian part of K uniform in [0, 1) + i [0, 1): means 1/2 and 0, variances
    # of two independent halves, 2 * (1 / 12) / 4.
    inner = spectrum[:, :, 1:8, 1:8]
    assert inner.real.mean().item() == pytest.approx(0.5, abs=0.02)
    assert inner.imag.mean().item() == pytest.approx(0, abs=0.02)
    assert inner.real.var().item() == pytest.approx(1 / 24, rel=0.1)
    assert inner.imag.var().item() == pytest.approx(1 / 24, rel=0.1)
    assert 0 <= spectrum.real.min() and spectrum.real.max() < 1


def test_state_is_real_and_survives():
    module, _ = make_pair((6, 8), cutoff=0.5)
    state = module.state_dict()
    assert set(state) == {'filter', 'gamma1', 'gamma2', 'local.weight', 'local.bias'}
    assert {value.dtype for value in state.values()} == {torch.float32}
    # The filter is half of the complex K of the paper.
    assert module.filter.numel() == 2 * 3 * 4 * 6 * (8 // 2 + 1)
    other = FrequencyAttention(3, 4, (6, 8), cutoff=0.5)
    other.load_state_dict(state)
    x = torch.randn(1, 3, 6, 8)
    assert torch.equal(other(x), module(x))
    assert torch.equal(copy.deepcopy(module)(x), module(x))


@pytest.mark.parametrize('kind', KINDS)
def test_global_branch_learns_on_1x1_maps(kind):
    layer = FrequencyAttention(3, 4, 1, high_pass=kind, local_branch=False)
    layer(torch.ones(2, 3, 1, 1)).sum().backward()
    assert (layer.filter.grad[..., ::2] != 0).all()  # the real part of a real bin


def test_empty_batch():
    layer = FrequencyAttention(3, 4, (6, 7))
    x = torch.ones(0, 3, 6, 7, requires_grad=True)
    out = layer(x)
    out.sum().backward()
    assert out.shape == (0, 4, 6, 7) and x.grad.shape == x.shape
    assert all(torch.equal(p.grad, 0 * p) for p in layer.parameters())


def test_int_size_is_a_square():
    assert FrequencyAttention(2, 2, 5)(torch.zeros(1, 2, 5, 5)).shape == (1, 2, 5, 5)


def test_channels_last():
    module, reference = make_pair((6, 8))
    module.to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 6, 8)
    given = x.to(memory_format=torch.channels_last)
    assert_close(module(given), reference(x), 1e-5)


def test_size_that_does_not_match_the_map():
    with pytest.raises(
        ValueError, match=r'the map is \(8, 8\) .* built with size=\(7, 7\); build it'
    ):
        FrequencyAttention(2, 2, 7)(torch.zeros(1, 2, 8, 8))


@pytest.mark.filterwarnings('ignore:Torchinductor does not support code generation')
def test_compiled_in_one_graph_equals_eager():
    module, _ = make_pair((4, 5), (2, 2))
    compiled = torch.compile(copy.deepcopy(module), fullgraph=True)
    x, cotangent = torch.randn(2, 2, 4, 5), torch.randn(2, 2, 4, 5)
    out, grad_x, grads = run(module, x, cotangent)
    compiled_out, compiled_grad_x, compiled_grads = run(compiled, x, cotangent)
    assert_close(compiled_out, out, 1e-5)
    assert_close(compiled_grad_x, grad_x, 1e-5)
    for name, grad in compiled_grads.items():
        assert_close(grad, grads[name.removeprefix('_orig_mod.')], 1e-5)


# A filter of a low rank.


def whole_filter(low_rank):
    """A layer with a filter between all channels, of the same function."""
    whole = FrequencyAttention(
        low_rank.in_channels, low_rank.out_channels, low_rank.size, cutoff=0
    ).double()
    state = low_rank.state_dict()
    names = whole.state_dict().keys()
    whole.load_state_dict({k: state[k] for k in names - {'filter'}}, strict=False)
    whole.load_full_spectrum(low_rank.full_spectrum())
    return whole


@pytest.mark.parametrize(
    ('channels', 'extra'),
    [
        ((5, 6), {'reduce', 'expand'}),
        ((5, 2), {'reduce'}),
        ((2, 6), {'expand'}),
    ],
)
@pytest.mark.parametrize('size', [(6, 9), (1, 1)], ids=str)
def test_low_rank_is_a_filter_of_shared_directions(channels, extra, size):
    torch.manual_seed(0)
    layer = FrequencyAttention(*channels, size, cutoff=0, rank=3).double()
    assert {'reduce', 'expand'} & layer.state_dict().keys() == extra
    assert layer.filter_channels == (min(channels[0], 3), min(channels[1], 3))
    x = torch.randn(2, channels[0], *size, dtype=torch.float64)
    whole = whole_filter(layer)
    assert_close(layer(x), whole(x), 1e-6)
    assert layer.full_spectrum().shape == (*channels, *size)
    assert layer(x[:0]).shape == (0, channels[1], *size)


def test_full_rank_is_the_papers_filter():
    torch.manual_seed(0)
    paper = FrequencyAttention(3, 4, 6)
    torch.manual_seed(0)
    full = FrequencyAttention(3, 4, 6, rank=4)
    assert full.state_dict().keys() == paper.state_dict().keys()
    for name, value in full.state_dict().items():
        assert torch.equal(value, paper.state_dict()[name]), name
    x = torch.randn(2, 3, 6, 6)
    assert torch.equal(full(x), paper(x))


def test_gradcheck_of_a_low_rank():
    torch.manual_seed(0)
    module = FrequencyAttention(3, 4, (3, 4), rank=2, cutoff=0.5).double()
    names, parameters = zip(*module.named_parameters(), strict=True)

    def forward(x, *parameters):
        return torch.func.functional_call(
            module, dict(zip(names, parameters, strict=True)), (x,)
        )

    x = torch.randn(2, 3, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(forward, (x, *parameters), fast_mode=True)


def test_low_rank_in_half_precision():
    module = FrequencyAttention(5, 6, 7, rank=2)
    x = torch.randn(2, 5, 7, 7)
    with torch.autocast('cpu', torch.bfloat16):
        out = module(x.bfloat16())
    assert out.dtype == torch.bfloat16
    assert_close(out.float(), module(x), 3e-2)


@pytest.mark.parametrize('rank', [0, -1, 2.5, True, 'full'])
def test_rank_that_is_no_number_of_channels(rank):
    with pytest.raises(ValueError, match='rank=.* must be a number of channels'):
        FrequencyAttention(2, 2, 4, rank=rank)


@pytest.mark.parametrize('size', [0, (0, 4), (4, -1)])
def test_sizes_without_a_place(size):
    with pytest.raises(ValueError, match='size=.* must be a height and width of at'):
        FrequencyAttention(2, 2, size)
