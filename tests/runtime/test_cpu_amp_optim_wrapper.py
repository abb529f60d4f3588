import pytest
import torch
from mmengine.registry import OPTIM_WRAPPERS

import famkd.engine  # noqa: F401


def test_forward_is_bfloat16_and_the_weights_stay_float32():
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    wrapper = OPTIM_WRAPPERS.build(dict(type='CPUAmpOptimWrapper', optimizer=optimizer))
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        output = model(torch.ones(2, 4))
    assert output.dtype == torch.bfloat16
    wrapper.update_params(output.float().mean())
    assert model.weight.dtype == torch.float32
    torch.testing.assert_close(model.weight, before - 1)


def make_wrapper(module):
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    return OPTIM_WRAPPERS.build(dict(type='CPUAmpOptimWrapper', optimizer=optimizer))


@pytest.mark.parametrize(
    ('has', 'is_warned'),
    [
        (dict(avx512_bf16=False, amx_bf16=False), True),
        (dict(avx512_bf16=True, amx_bf16=False), False),
        (dict(avx512_bf16=False, amx_bf16=True), False),
        (None, False),
    ],
)
def test_a_processor_that_has_no_bfloat16(has, is_warned, monkeypatch):
    capabilities = dict(architecture='x86_64', **has) if has else {}
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: capabilities)
    lines = []
    monkeypatch.setattr(
        'famkd.runtime.cpu_amp_optim_wrapper.print_log',
        lambda *args: lines.append(args),
    )
    make_wrapper(torch.nn.Linear(1, 1))
    assert ('no instructions for bfloat16' in str(lines)) == is_warned


class Head(torch.nn.Linear):
    """Like a detector's, which has something that makes anchors or points."""

    prior_generator = None

    def forward(self, features):
        return [super().forward(features)], {'scale': torch.ones(1).bfloat16()}


def test_boxes_are_made_of_float32():
    head = Head(4, 4)
    wrapper = make_wrapper(head)
    with wrapper.optim_context(head):
        (boxes,), others = head(torch.ones(2, 4))
    assert boxes.dtype == others['scale'].dtype == torch.float32
    with torch.autocast('cpu', torch.bfloat16):  # outside, as it was
        assert head(torch.ones(2, 4))[0][0].dtype == torch.bfloat16


def test_operators_of_mmcv_compute_in_float32():
    ops = pytest.importorskip('mmcv.ops', exc_type=ImportError)
    torch.manual_seed(0)
    align, deform = ops.RoIAlign(2), ops.ModulatedDeformConv2dPack(3, 3, 3)
    boxes = torch.tensor([[0, 1.5, 1, 6, 7], [1, 0, 2, 5, 5]])

    def run(maps):
        deform.zero_grad()
        outputs = align(maps, boxes), deform(maps)
        sum(x.square().sum() for x in outputs).backward()
        return *outputs, maps.grad, deform.weight.grad.clone()

    maps = torch.randn(2, 3, 8, 8).bfloat16()
    with make_wrapper(deform).optim_context(deform):
        found = run(maps.clone().requires_grad_())
        _, kept = ops.nms(boxes[:, 1:].bfloat16(), torch.ones(2).bfloat16(), 0.9)
    kinds = [torch.bfloat16] * 3 + [torch.float32]
    for x, y, kind in zip(
        found, run(maps.float().requires_grad_()), kinds, strict=True
    ):
        assert x.dtype == kind
        assert (x.float() - y).norm() < 0.02 * y.norm()
    assert kept.tolist() == [0, 1]
