"""Masks, prompted maps and overlaps against the formulas, written out."""

import pytest
import torch

from famkd.layers import (
    frequency_masks,
    haar_dwt,
    haar_idwt,
    mask_overlap,
    prompted_map,
)


def random(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


def masks_of_bands(x, prompts):
    """The masks from the bands themselves, one band after the other."""
    low, details = haar_dwt(x, len(prompts) - 1)
    responses = [low, *(sum(detail) for detail in details)]
    return [
        torch.einsum('tc,nchw->nthw', p, r).sigmoid()
        for p, r in zip(prompts, responses, strict=True)
    ]


@pytest.mark.parametrize('size', [(16, 24), (13, 9), (1, 1)])
@pytest.mark.parametrize('count', [1, 2, 6])
def test_masks_are_those_of_the_bands(size, count):
    x, prompts = random(2, 5, *size), random(4, count, 5, seed=1)
    masks, expected = frequency_masks(x, prompts), masks_of_bands(x, prompts)
    for ours, theirs in zip(masks, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_masks_may_have_any_number_of_levels():
    masks = frequency_masks(random(1, 3, 8, 8), random(2, 2, 3))
    assert [mask.shape for mask in masks] == [(1, 2, 4, 4)] * 2


def test_the_prompted_map_is_each_masked_copy_summed():
    x, prompts = random(2, 5, 13, 9), random(4, 3, 5, seed=1)
    masks = frequency_masks(x, prompts)
    expected = torch.zeros_like(x)
    low, details = haar_dwt(x)
    for i in range(3):
        of_prompt = [mask[:, i : i + 1] for mask in masks]
        passed = [
            tuple(mask * band for band in detail)
            for mask, detail in zip(of_prompt[1:], details, strict=True)
        ]
        expected += haar_idwt(of_prompt[0] * low, passed, (13, 9))
    prompted = prompted_map(x, masks)
    torch.testing.assert_close(prompted, expected)
    assert prompted.is_contiguous()


def test_two_prompts_of_zeros_change_nothing():
    x = random(1, 4, 7, 11)
    masks = frequency_masks(x, torch.zeros(4, 2, 4, dtype=x.dtype))
    torch.testing.assert_close(prompted_map(x, masks), x)


@pytest.mark.parametrize('kind', ['jaccard', 'dice'])
def test_overlap_is_the_mean_over_pairs_summed_over_bands(kind):
    masks = [mask.sigmoid() for mask in (random(2, 3, 4, 5), random(2, 3, 2, 3))]
    expected = 0.0
    for mask in masks:
        pairs = []
        for sample in mask:
            for i in range(3):
                for j in range(3):
                    common = (sample[i] * sample[j]).sum()
                    both = sample[i].square().sum() + sample[j].square().sum()
                    dice = 2 * common / both
                    if i != j:
                        pairs.append(dice if kind == 'dice' else dice / (2 - dice))
        expected += sum(pairs) / len(pairs)
    torch.testing.assert_close(mask_overlap(masks, kind), expected)


def test_overlap_of_the_same_masks_is_the_number_of_bands():
    same = random(2, 1, 4, 4).sigmoid().expand(-1, 3, -1, -1)
    torch.testing.assert_close(
        mask_overlap([same, same]), torch.tensor(2.0, dtype=torch.float64)
    )


def test_one_prompt_has_no_overlap():
    assert mask_overlap([random(2, 1, 4, 4).sigmoid()]) == 0


def test_closed_masks_have_a_finite_overlap():
    closed = torch.full((1, 2, 3, 3), 1e-30, requires_grad=True)
    overlap = mask_overlap([closed])
    overlap.backward()
    assert overlap.isfinite()
    assert closed.grad.isfinite().all()


def test_an_unknown_overlap_is_an_error():
    with pytest.raises(ValueError, match="overlap='iou'.*jaccard or dice"):
        mask_overlap([torch.zeros(1, 2, 2, 2)], 'iou')


@pytest.mark.parametrize('kind', ['jaccard', 'dice'])
def test_gradients(kind):
    x = random(2, 3, 5, 3).requires_grad_()
    prompts = random(3, 2, 3, seed=1).requires_grad_()

    def both(x, prompts):
        masks = frequency_masks(x, prompts)
        return prompted_map(x, masks), mask_overlap(masks, kind)

    assert torch.autograd.gradcheck(both, (x, prompts))


def test_sums_that_half_precision_cannot_hold():
    x = torch.full((1, 256, 8, 8), 9000.0, dtype=torch.float16)
    prompts = torch.ones(4, 2, 256)
    with torch.autocast('cpu', dtype=torch.float16):
        masks = frequency_masks(x, prompts)
        assert all(mask.isfinite().all() for mask in masks)
        # Small prompts: the masks are nearly 1/2, and the map stays nearly as it is.
        prompted = prompted_map(x, frequency_masks(x, 1e-9 * prompts))
        torch.testing.assert_close(prompted, x, rtol=0.05, atol=0)
        everywhere = torch.ones(1, 2, 300, 300)
        assert mask_overlap([everywhere]) == 1


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    x = 1000 * random(2, 4, 16, 16, dtype=torch.float32)
    prompts = random(4, 2, 4, seed=1, dtype=torch.float32)
    masks = frequency_masks(x.to(dtype), prompts)
    assert all(mask.dtype == torch.float32 for mask in masks)
    assert all(mask.isfinite().all() for mask in masks)
    assert prompted_map(x.to(dtype), masks).dtype == dtype
    small = (x / 1000).to(dtype)
    for ours, exact in zip(
        frequency_masks(small, prompts),
        frequency_masks(small.float(), prompts),
        strict=True,
    ):
        torch.testing.assert_close(ours, exact, rtol=0.05, atol=0.05)
