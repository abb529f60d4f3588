"""High-pass masks over a centred frequency plane."""

import torch
from torch import Tensor

HIGH_PASS_KINDS = ('ideal', 'gaussian', 'butterworth', 'none')


def high_pass_mask(
    kind: str,
    size: tuple[int, int],
    cutoff: float = 0.1,
    order: int = 2,
    device: torch.device | None = None,
) -> Tensor:
    r"""High-pass mask :math:`h(u, v)` in the centred (fftshifted) layout.

    With the centre at ``(H // 2, W // 2)``, :math:`D(u, v)` the distance to it
    in bins and :math:`D_0 = \text{cutoff} \cdot \min(H, W) / 2`:

    - ``'ideal'``: 0 on rows ``cy - rh : cy + rh`` and columns
      ``cx - rw : cx + rw``, with ``rh = int(cutoff * cy)`` and
      ``rw = int(cutoff * cx)``; 1 elsewhere. This is the released FAM-KD
      filter: on maps smaller than 20 bins (at 0.1) it removes nothing.
    - ``'gaussian'``: :math:`1 - \exp(-D^2 / (2 D_0^2))`.
    - ``'butterworth'``: :math:`1 / (1 + (D_0 / D)^{2n})`, 0 at :math:`D = 0`.
    - ``'none'``: 1 everywhere.

    A cutoff of 0 removes nothing, whatever the kind, and on a 1x1 map there is nothing
    to remove: its only frequency is its value. So some frequency always passes.

    Args:
        kind: One of ``'ideal'``, ``'gaussian'``, ``'butterworth'``, ``'none'``.
        size: Height and width of the frequency plane, in bins.
        cutoff: Fraction of the plane that is cut, in [0, 1). Defaults to 0.1.
        order: Order :math:`n` of the Butterworth mask. Defaults to 2.
        device: Where to put the mask. Defaults to None (PyTorch's default).

    Returns:
        Tensor: Mask of shape (H, W), float64, values in [0, 1].

    Raises:
        ValueError: If ``kind`` is unknown or ``cutoff`` is outside [0, 1).

    Source: FAM-KD (WACV 2024, https://arxiv.org/abs/2403.05894), Fig. 1 and
    supplement A.3; no mask on 1x1 maps is a choice of this project.
    """
    if kind not in HIGH_PASS_KINDS:
        raise ValueError(
            f'high_pass={kind!r} is unknown; choose one of {", ".join(HIGH_PASS_KINDS)}'
        )
    if not 0 <= cutoff < 1:
        raise ValueError(
            f'cutoff={cutoff} is outside [0, 1); give the fraction of the frequency '
            'plane to remove, e.g. 0.1'
        )
    height, width = size
    mask = torch.ones(height, width, dtype=torch.float64, device=device)
    if kind == 'none' or cutoff == 0 or height == width == 1:
        return mask

    cy, cx = height // 2, width // 2
    if kind == 'ideal':
        rh, rw = int(cutoff * cy), int(cutoff * cx)
        mask[cy - rh : cy + rh, cx - rw : cx + rw] = 0
        return mask

    rows = torch.arange(height, dtype=torch.float64, device=device)[:, None] - cy
    columns = torch.arange(width, dtype=torch.float64, device=device)[None] - cx
    squared_distance = (rows**2 + columns**2) / (cutoff * min(size) / 2) ** 2
    if kind == 'gaussian':
        return 1 - torch.exp(-squared_distance / 2)
    # The form without a division by D: its limit at D = 0 is 0.
    power = squared_distance**order
    return power / (1 + power)
