"""The frequency distance against the paper's formula, written out."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from famkd.layers import (
    frequency_distance,
    frequency_masks,
    haar_dwt,
    mask_overlap,
    prompted_map,
)


def random(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


def written_out(s, t, masks, low_band):
    """Mean over N, T, C, orientation and places of |M s - M t|, band by band."""
    (s_low, s_details), (t_low, t_details) = haar_dwt(s), haar_dwt(t)
    bands = [
        (s_low[:, :, None], t_low[:, :, None]),
        *(
            (torch.stack(a, 2), torch.stack(b, 2))
            for a, b in zip(s_details, t_details, strict=True)
        ),
    ]
    total = 0.0
    for mask, (a, b) in list(zip(masks, bands, strict=True))[0 if low_band else 1 :]:
        m = mask[:, :, None, None]
        total += (m * a[:, None] - m * b[:, None]).abs().mean()
    return total


@pytest.mark.parametrize('low_band', [True, False])
@pytest.mark.parametrize('size', [(16, 24), (13, 9), (1, 1)])
def test_it_is_the_papers_formula(size, low_band):
    s, t = random(2, 5, *size), random(2, 5, *size, seed=1)
    masks = frequency_masks(t, random(4, 3, 5, seed=2))
    distance = frequency_distance(s, t, masks, low_band)
    assert distance.shape == (2, 5)
    torch.testing.assert_close(distance.mean(), written_out(s, t, masks, low_band))


@pytest.mark.parametrize('low_band', [True, False])
def test_without_masks_everything_counts(low_band):
    s, t = random(2, 5, 13, 9), random(2, 5, 13, 9, seed=1)
    masks = frequency_masks(t, random(4, 1, 5))
    ones = [torch.ones_like(mask) for mask in masks]
    torch.testing.assert_close(
        frequency_distance(s, t, None, low_band),
        frequency_distance(s, t, ones, low_band),
    )


def test_gradients():
    s = random(2, 3, 6, 5).requires_grad_()
    t = random(2, 3, 6, 5, seed=1)
    masks = frequency_masks(t, random(3, 2, 3, seed=2))
    assert torch.autograd.gradcheck(
        lambda s: frequency_distance(s, t, masks, levels=2), s
    )


def test_equal_maps_have_no_distance_and_no_gradient():
    t = random(1, 3, 8, 8)
    s = t.clone().requires_grad_()
    distance = frequency_distance(s, t, frequency_masks(t, random(4, 2, 3))).sum()
    distance.backward()
    assert distance == 0
    assert (s.grad == 0).all()


def test_half_precision_is_compared_in_single():
    s, t = random(1, 3, 8, 8).bfloat16(), random(1, 3, 8, 8, seed=1).bfloat16()
    masks = frequency_masks(t, random(4, 2, 3))
    distance = frequency_distance(s, t, masks)
    assert distance.dtype == torch.float32
    torch.testing.assert_close(
        distance, frequency_distance(s.float(), t.float(), masks)
    )


def test_sums_over_a_large_map_stay_finite_under_autocast():
    t = torch.zeros(1, 1, 256, 512)
    s = t + 40
    sizes = [(32, 64), (128, 256), (64, 128), (32, 64)]
    masks = [torch.ones(1, 2, *size) for size in sizes]
    with torch.autocast('cpu', dtype=torch.float16):
        distance = frequency_distance(s, t, masks)
    assert distance.dtype == torch.float32
    assert distance == 8 * 40


class LargestTensor(TorchDispatchMode):
    """Notes how many values the largest result of any operation has."""

    numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for x in tree_leaves(out):
            if torch.is_tensor(x):
                self.numel = max(self.numel, x.numel())
        return out


def test_no_tensor_is_larger_than_the_maps():
    s, t = random(2, 8, 16, 24).requires_grad_(), random(2, 8, 16, 24, seed=1)
    prompts = random(4, 6, 8, seed=2).requires_grad_()
    with LargestTensor() as largest:
        masks = frequency_masks(t, prompts)
        distance = frequency_distance(s, t, masks).mean()
        (distance + prompted_map(t, masks).sum() + mask_overlap(masks)).backward()
    # The prompts' answers have 4 bands x 6 prompts in the place of the 8 channels.
    assert largest.numel == max(s.numel(), 4 * 6 * s.numel() // 8)
    with LargestTensor() as largest:
        frequency_distance(s, t, [mask.detach() for mask in masks]).mean().backward()
    assert largest.numel == s.numel()
