"""FourierKD: amplitudes mixed at random, spectra compared on the Riemann sphere."""

import torch
from mmrazor.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import batch_norm, cosine_similarity

from famkd.layers.widen import widen

from .same_shape import check_same_shape


@MODELS.register_module()
class FourierKDLoss(nn.Module):
    r"""Compares the spectra of two features of the same shape, with trained layers.

    With :math:`Y_s = \text{fft2}(\text{predictor}(s))`, :math:`Y_t = \text{fft2}(t)`
    (orthonormal), their amplitudes :math:`A` and phases :math:`\varphi`:

    .. math::
        A &= \big( a \, \text{conv}_s(A_s) + (1 - a) \, \text{conv}_t(A_t) \big) U,
        \qquad a = \sigma(\text{sigma}), \quad U \sim \mathcal{U}[0, 1) \\
        z_s &= A e^{i \varphi_s}, \qquad z_t = A_t e^{i \varphi_t} \\
        L &= \tfrac{w}{2} \sum_{p \in x, y, r} \text{mean}\big(
        (\text{BN}(p_s) - \text{BN}(p_t))^2 \, (1 - \cos(s, t)) \big)

    where :math:`x = 2 \Re z / (|z|^2 + 1)`, :math:`y = 2 \Im z / (|z|^2 + 1)`,
    :math:`r = (|z|^2 - 1) / (|z|^2 + 1)` is the point of z on the Riemann sphere, BN
    is over the batch and without parameters, and the cosine is over the positions of
    each sample and channel. The amplitude transform module (ATFM) is the first line.

    U is drawn from PyTorch's generator at every step.

    Args:
        channels: Channels of both features.
        released: Whether to shift the spectra over the batch and the channels too, as
            the released code does. Then the layers meet rolled channels, and the
            cosine another sample. Defaults to False.
        loss_weight: Weight of the loss, :math:`w`. Defaults to 1.

    Source: `Knowledge Distillation in Fourier Frequency Domain for Dense Prediction
    <https://doi.org/10.1109/LSP.2024.3515795>`_ and its released code.
    """

    def __init__(
        self, channels: int, released: bool = False, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.predictor = nn.Conv2d(channels, channels, 1)
        self.sigma = nn.Parameter(torch.zeros(channels))
        self.student_amplitude = nn.Conv2d(channels, channels, 1)
        self.teacher_amplitude = nn.Conv2d(channels, channels, 1)
        self.released = released
        self.loss_weight = loss_weight

    def forward(
        self, s_feature: Tensor, t_feature: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Compares features, in float32 or wider, inside autocast too.

        Args:
            s_feature: Feature of the student, shape (N, C, H, W).
            t_feature: Feature of the teacher, the same shape.
            noise: U, the same shape. Defaults to None (drawn anew).

        Returns:
            Tensor: The loss, a scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        self.check_shapes(s_feature, t_feature)
        with torch.autocast(s_feature.device.type, enabled=False):
            student, teacher = widen(s_feature), widen(t_feature)
            unlike = 1 - cosine_similarity(student.flatten(2), teacher.flatten(2), 2)
            spectra = [self._spectrum(x) for x in (self.predictor(student), teacher)]
            (ours, our_phase), (theirs, their_phase) = spectra
            if noise is None:
                noise = torch.rand_like(ours)
            share = self.sigma.sigmoid()[:, None, None]
            mixed = share * self.student_amplitude(ours)
            mixed = (mixed + (1 - share) * self.teacher_amplitude(theirs)) * noise
            points = zip(
                _on_sphere(mixed, our_phase),
                _on_sphere(theirs, their_phase),
                strict=True,
            )
            distance = sum(
                (
                    (_normalize(a) - _normalize(b)).square() * unlike[..., None, None]
                ).mean()
                for a, b in points
            )
            return self.loss_weight * distance / 2

    def check_shapes(self, s_feature: Tensor, t_feature: Tensor) -> None:
        """Checks that the features can be compared.

        Raises:
            ValueError: If the shapes differ.
        """
        check_same_shape(s_feature, t_feature)

    def _spectrum(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Amplitudes and phases."""
        spectrum = torch.fft.fft2(x, norm='ortho')
        if self.released:
            spectrum = torch.fft.fftshift(spectrum)
        return spectrum.abs(), spectrum.angle()


def _on_sphere(amplitude: Tensor, phase: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The point of a complex number on the Riemann sphere."""
    square = amplitude.square()
    scale = 2 * amplitude / (square + 1)
    return scale * phase.cos(), scale * phase.sin(), (square - 1) / (square + 1)


def _normalize(x: Tensor) -> Tensor:
    """BN over the batch, without parameters."""
    return batch_norm(x, None, None, training=True)
