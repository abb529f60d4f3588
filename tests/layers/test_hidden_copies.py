"""How often the layers copy a map, counted by PyTorch's profiler."""

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from famkd.layers import FrequencyAttention, LocalAttention

SHAPE = (8, 16, 6, 6)


def copies(layer, memory_format, half):
    """Copies of the size of the map in the forward and in the backward pass."""
    x = torch.randn(SHAPE).to(memory_format=memory_format).requires_grad_()
    counts = []

    def counted(run):
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as done:
            result = run()
        shapes = [e.input_shapes[0] for e in done.events() if e.name == 'aten::copy_']
        counts.append(sum(torch.Size(s).numel() == x.numel() for s in shapes))
        return result

    with torch.autocast('cpu', torch.bfloat16, enabled=half):
        layer(x)  # whatever happens once only
        out = counted(lambda: layer(x))
    grad = torch.randn_like(out)
    counted(lambda: out.backward(grad))
    return counts


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('half', [False, True], ids=['float32', 'bfloat16'])
@pytest.mark.parametrize(
    'layer', [LocalAttention(16), FrequencyAttention(16, 16, 6)], ids=['local', 'fam']
)
def test_a_map_and_its_gradient_are_copied_to_convert_them_only(layer, half, layout):
    converts = half and isinstance(layer, LocalAttention)  # to bfloat16 and back
    assert copies(layer, layout, half) == [converts, converts]
