import copy
import gc

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from famkd.layers import DynamicFrequencyAttention, high_pass_mask
from famkd.layers.depthwise_filter import resample_spectrum
from famkd.layers.frequency_filter import mirror
from famkd.layers.reference import ReferenceFrequencyAttention

KINDS = ['ideal', 'gaussian', 'butterworth', 'none']


def make_pair(size, channels=(3, 4), dtype=torch.float32, **high_pass):
    """The layer at its base size, and section 1 of the paper with K_io = W_oi K_o."""
    torch.manual_seed(0)
    ours = DynamicFrequencyAttention(*channels, size, **high_pass).to(dtype)
    reference = ReferenceFrequencyAttention(*channels, size, **high_pass).to(dtype)
    # A bad case: no symmetry at all.
    filter = torch.randn(channels[1], *size, dtype=torch.complex128)
    ours.load_full_spectrum(filter.to(dtype.to_complex()))
    for module in (ours, reference):
        module.gamma1.data.fill_(0.7)
        module.gamma2.data.fill_(-1.3)
    reference.local.load_state_dict(ours.pointwise.state_dict())
    map = ours.pointwise.weight.data[:, :, 0, 0].t()
    reference.load_full_spectrum(map[..., None, None] * filter)
    return ours, reference


class DiagonalFilter(nn.Module):
    """Section 1 for one channel in and out each: the full complex K, at one size."""

    def __init__(self, filter, mask):
        super().__init__()
        self.filter = nn.Parameter(torch.view_as_real(filter))
        self.mask = mask

    def forward(self, x):
        filter = self.mask * torch.view_as_complex(self.filter)
        return torch.fft.ifft2(filter * torch.fft.fft2(x)).real


def assert_close(ours, expected, tolerance):
    """Equal up to a fraction of the largest value."""
    atol = tolerance * max(expected.abs().max().item(), 1e-3)
    torch.testing.assert_close(ours, expected, rtol=0, atol=atol)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('size', [(8, 8), (7, 7), (6, 9), (5, 8), (1, 1)], ids=str)
def test_at_the_base_size_it_is_frequency_attention(size, kind):
    ours, reference = make_pair(size, high_pass=kind, cutoff=0.6)
    x = torch.randn(2, 3, *size)
    cotangent = torch.randn(2, 4, *size)
    results = []
    for module in (ours, reference):
        given = x.clone().requires_grad_()
        out = module(given)
        out.backward(cotangent)
        results.append((out.detach(), given.grad, module.gamma1.grad))
    for value, expected in zip(*results, strict=True):
        assert_close(value, expected, 1e-5)


def test_with_equal_channels_the_filter_is_diagonal():
    ours, reference = make_pair((8, 6), channels=(4, 4))
    filter = torch.randn(4, 8, 6, dtype=torch.cfloat)
    ours.load_full_spectrum(filter)
    identity = torch.eye(4)[..., None, None]
    ours.pointwise.weight.data.copy_(identity)
    reference.local.weight.data.copy_(identity)
    reference.load_full_spectrum(identity * filter)
    x = torch.randn(2, 4, 8, 6)
    assert_close(ours(x), reference(x), 1e-5)


@pytest.mark.parametrize('kind', ['ideal', 'gaussian'])
@pytest.mark.parametrize('size', [(8, 8), (7, 6)], ids=str)
def test_sgd_moves_the_filter_as_on_the_full_spectrum(size, kind):
    ours = DynamicFrequencyAttention(2, 2, size, kind, cutoff=0.6, local_branch=False)
    ours.requires_grad_(False).pointwise.weight.copy_(torch.eye(2)[..., None, None])
    ours.gamma1.fill_(1)
    ours.filter.requires_grad_()
    filter = torch.randn(2, *size, dtype=torch.cfloat)
    ours.load_full_spectrum(filter)
    mask = torch.fft.ifftshift(high_pass_mask(kind, size, 0.6)).float()
    reference = DiagonalFilter(filter, mask)
    before = ours(torch.ones(1, 2, *size).cumsum(-1))
    x, target = torch.randn(4, 2, *size), torch.randn(4, 2, *size)
    for module in (ours, reference):
        optimizer = torch.optim.SGD([module.filter], lr=0.5, momentum=0.9)
        for _ in range(10):
            optimizer.zero_grad()
            nn.functional.mse_loss(module(x), target).backward()
            optimizer.step()
    assert_close(ours(x), reference(x), 1e-4)
    assert (ours(torch.ones(1, 2, *size).cumsum(-1)) - before).abs().max() > 0.1


@pytest.mark.parametrize('base', [(6, 8), (5, 7)], ids=str)
@pytest.mark.parametrize('size', [(6, 8), (9, 12), (10, 5), (3, 4), (1, 1)], ids=str)
def test_gradcheck(base, size):
    torch.manual_seed(0)
    module = DynamicFrequencyAttention(2, 2, base, cutoff=0.5).double()
    names, parameters = zip(*module.named_parameters(), strict=True)

    def forward(x, *parameters):
        state = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(module, state, (x,))

    x = torch.randn(2, 2, *size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(forward, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize('base', [(8, 8), (32, 32), (6, 10)], ids=str)
@pytest.mark.parametrize('size', [(8, 8), (50, 84), (13, 26), (20, 21)], ids=str)
def test_dc_and_nyquist_stay_where_they_are(base, size):
    module = DynamicFrequencyAttention(1, 3, base, high_pass='none')
    at_base, filter = module.half_spectrum(base), module.half_spectrum(size)
    assert filter.shape == (3, size[0], size[1] // 2 + 1)
    nyquist = [n // 2 for n in base]
    rows = {0: 0} | ({size[0] // 2: nyquist[0]} if size[0] % 2 == 0 else {})
    columns = {0: 0} | ({size[1] // 2: nyquist[1]} if size[1] % 2 == 0 else {})
    for row, base_row in rows.items():
        for column, base_column in columns.items():
            torch.testing.assert_close(
                filter[:, row, column], at_base[:, base_row, base_column]
            )


def test_resampling_is_bilinear_in_normalised_frequency():
    # A filter that is linear in the frequency is met exactly in between.
    rows, columns = torch.fft.fftfreq(8), torch.fft.rfftfreq(8)
    half = (1 + 2 * rows.abs()[:, None] - columns) + 0j
    finer = resample_spectrum(half[None], (8, 8), (20, 30))[0]
    rows, columns = torch.fft.fftfreq(20), torch.fft.rfftfreq(30)
    expected = (1 + 2 * rows.abs()[:, None] - columns) + 0j
    torch.testing.assert_close(finer, expected)


@pytest.mark.parametrize('base', [(8, 8), (7, 5)], ids=str)
@pytest.mark.parametrize('size', [(12, 20), (9, 11), (4, 4)], ids=str)
def test_hermitian_symmetry_is_kept(base, size):
    half = torch.randn(2, base[0], base[1] // 2 + 1, dtype=torch.cfloat)
    filter = resample_spectrum(half, base, size)
    columns = [0] + ([size[1] // 2] if size[1] % 2 == 0 else [])
    for column in columns:
        values = filter[:, :, column : column + 1]
        torch.testing.assert_close(values, mirror(values).conj())


@pytest.mark.parametrize('kind', ['gaussian', 'none'])
def test_neighbouring_sizes_give_nearly_the_same_filter(kind):
    torch.manual_seed(0)
    module = DynamicFrequencyAttention(2, 2, high_pass=kind)

    def impulse_response(size):
        x = torch.zeros(1, 2, *size)
        x[:, :, 20, 20] = 1
        return module(x)[..., 10:31, 10:31]

    with torch.no_grad():
        module.filter.mul_(10)  # else the local branch is most of it
        here = impulse_response((50, 60))
        scale = here.flatten(2).std()
        for size in [(51, 60), (50, 61), (52, 62), (49, 59)]:
            change = (impulse_response(size) - here).std() / scale
            assert 0 < change < 0.02, size
        # Far sizes are no better than they are near: it is the same filter still.
        assert (impulse_response((100, 120)) - here).std() / scale < 0.2


def test_the_mask_is_that_of_the_map():
    module = DynamicFrequencyAttention(1, 1, local_branch=False)
    with torch.no_grad():
        module.filter.fill_(1)
    # 0.1 of half of 100 bins, in the centred layout: rows and columns -5 to 4. Of a
    # pair k, -k with one bin removed, half is left.
    kept = module.half_spectrum((100, 100)).abs()[0] > 0
    assert not kept[-4:, :5].any() and not kept[:5, :5].any()
    assert kept[5:95].all() and kept[:, 6:].all()


@pytest.mark.parametrize('branch', ['global', 'local'])
def test_one_branch_alone(branch):
    both, _ = make_pair((6, 7))
    alone = DynamicFrequencyAttention(
        3,
        4,
        (6, 7),
        global_branch=branch == 'global',
        local_branch=branch == 'local',
    )
    state = both.state_dict()
    alone.load_state_dict({key: state[key] for key in alone.state_dict()})
    other = {'global': 'gamma2', 'local': 'gamma1'}[branch]
    both.get_parameter(other).data.zero_()
    x = torch.randn(2, 3, 9, 10)
    assert_close(alone(x), both(x), 1e-5)
    # No parameter is left without a gradient: DDP would wait for it.
    alone(x).sum().backward()
    assert all(p.grad is not None for p in alone.parameters())


@pytest.fixture
def in_float32():
    """A layer, a map, and what the one makes of the other."""
    torch.manual_seed(0)
    module = DynamicFrequencyAttention(3, 4)
    x = torch.randn(2, 3, 25, 42)
    return module, x, module(x)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast(dtype, in_float32):
    module, x, expected = in_float32
    with torch.autocast('cpu', dtype):
        for given in (x, x.to(dtype)):
            out = module(given)
            assert out.dtype == dtype
            assert_close(out.float(), expected, 1e-2)
    out.float().sum().backward()
    assert {p.grad.dtype for p in module.parameters()} == {torch.float32}


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_layer_of_half_precision(dtype, in_float32):
    module, x, expected = in_float32
    out = module.to(dtype)(x.to(dtype))
    assert out.dtype == dtype
    assert_close(out.float(), expected, 2e-2)
    out.float().sum().backward()
    assert {p.grad.dtype for p in module.parameters()} == {dtype}


class ElementCounter(TorchDispatchMode):
    """Counts the elements that all operations write."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        outs = out if isinstance(out, (tuple, list)) else [out]
        self.total += sum(o.numel() for o in outs if isinstance(o, torch.Tensor))
        return out


def test_cost_grows_no_faster_than_the_map():
    module = DynamicFrequencyAttention(4, 4)

    def cost(size):
        x = torch.randn(1, 4, *size, requires_grad=True)
        with ElementCounter() as elements, FlopCounterMode(display=False) as flops:
            module(x).sum().backward()
        return elements.total, flops.get_total_flops()

    small, large = cost((64, 64)), cost((256, 256))
    assert large[0] / small[0] < 16.5
    assert large[1] / small[1] < 16.5


def test_changing_sizes_leave_nothing_behind():
    module = DynamicFrequencyAttention(2, 2)

    def live_tensors(sizes):
        for size in sizes:
            module(torch.randn(1, 2, size, size + 3)).sum().backward()
        gc.collect()
        return sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects())

    before = live_tensors(range(20, 25))
    assert live_tensors(range(25, 60)) <= before  # others may go meanwhile


def test_state_is_real_and_survives():
    module, _ = make_pair((6, 8))
    state = module.state_dict()
    names = {'filter', 'gamma1', 'gamma2', 'pointwise.weight', 'pointwise.bias'}
    assert set(state) == names
    assert {value.dtype for value in state.values()} == {torch.float32}
    assert module.filter.numel() == 2 * 4 * 6 * (8 // 2 + 1)
    x = torch.randn(1, 3, 9, 9)
    assert torch.equal(copy.deepcopy(module)(x), module(x))


def test_empty_batch():
    layer = DynamicFrequencyAttention(3, 4)
    x = torch.ones(0, 3, 6, 7, requires_grad=True)
    out = layer(x)
    out.sum().backward()
    assert out.shape == (0, 4, 6, 7) and x.grad.shape == x.shape
    assert all(torch.equal(p.grad, 0 * p) for p in layer.parameters())


def test_channels_last():
    module, reference = make_pair((6, 8))
    module.to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 6, 8)
    given = x.to(memory_format=torch.channels_last)
    assert_close(module(given), reference(x), 1e-5)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(base_size=0), r'base_size=\(0, 0\) must be positive'),
        (dict(high_pass='sharp'), "high_pass='sharp' is unknown; choose one of"),
        (dict(cutoff=1.0), r'cutoff=1.0 is outside \[0, 1\)'),
        (
            dict(global_branch=False, local_branch=False),
            'global_branch=False and local_branch=False leave nothing',
        ),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        DynamicFrequencyAttention(2, 2, **options)


@pytest.mark.parametrize('size', [(8, 8), (7, 7), (6, 9)], ids=str)
def test_full_spectrum_before_and_after_the_mask(size):
    ours, _ = make_pair(size, dtype=torch.float64, high_pass='gaussian', cutoff=0.6)
    mask = torch.fft.ifftshift(high_pass_mask('gaussian', size, 0.6))
    full, unmasked = ours.full_spectrum(), ours.unmasked_spectrum()
    assert full.shape == (4, *size)
    torch.testing.assert_close(full, mask * unmasked)
    y = torch.randn(1, 4, *size, dtype=torch.float64)
    ours.pointwise.weight.data = torch.eye(4)[..., None, None].double()
    ours.in_channels = 4
    ours.gamma2.data.zero_()
    expected = 0.7 * torch.fft.ifft2(full * torch.fft.fft2(y)).real
    torch.testing.assert_close(ours(y), expected)
