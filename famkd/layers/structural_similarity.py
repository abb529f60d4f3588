"""How alike two networks look at an image: SSIM of their activation maps."""

from torch import Tensor
from torch.nn.functional import avg_pool2d

from .activation_map import activation_map, pool_to_smaller


def activation_ssim(a: Tensor, b: Tensor) -> Tensor:
    """SSIM of the activation maps of two features, each scaled to [0, 1].

    Args:
        a: Feature of shape (N, C, H, W).
        b: Another, of any number of channels and any size; the larger one is pooled to
            the smaller.

    Returns:
        Tensor: Shape (N,), 1 for maps that are the same up to their scale.
    """
    maps = (activation_map(x) for x in pool_to_smaller(a, b))
    return ssim(*map(_scaled, maps))


def ssim(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    r"""Structural similarity of maps with values from 0 to 1.

    .. math::
        \frac{(2 \mu_a \mu_b + c_1) (2 \sigma_{ab} + c_2)}
        {(\mu_a^2 + \mu_b^2 + c_1) (\sigma_a^2 + \sigma_b^2 + c_2)}

    with means, variances and covariance (n - 1) of a square window, averaged over its
    places inside the map; :math:`c_1 = 0.01^2, c_2 = 0.03^2`. It is scikit-image's
    ``structural_similarity`` with its defaults.

    Args:
        a: Maps of shape (N, H, W), larger than 1x1.
        b: Others of the same shape.
        window: Side of the window; that of the map where it is smaller. Defaults to 7.

    Returns:
        Tensor: Shape (N,).

    Source: Wang et al., Image quality assessment: from error visibility to structural
    similarity, IEEE TIP 2004, eq. 13.
    """
    size = tuple(min(window, side) for side in a.shape[-2:])
    count = size[0] * size[1]
    if count == 1:
        raise ValueError('a 1x1 map has no structure to compare')

    def mean(x: Tensor) -> Tensor:
        return avg_pool2d(x[:, None], size, stride=1)[:, 0]

    mean_a, mean_b = mean(a), mean(b)
    unbiased = count / (count - 1)
    variance_a = unbiased * (mean(a * a) - mean_a**2)
    variance_b = unbiased * (mean(b * b) - mean_b**2)
    covariance = unbiased * (mean(a * b) - mean_a * mean_b)
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity /= (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return similarity.mean(dim=(-2, -1))


def _scaled(maps: Tensor) -> Tensor:
    """Each map in [0, 1]; a constant one is 0."""
    low, high = (x(dim=(-2, -1), keepdim=True) for x in (maps.amin, maps.amax))
    span = high - low
    return (maps - low) / span.where(span > 0, 1)
