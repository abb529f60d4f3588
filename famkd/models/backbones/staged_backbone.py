"""The base of the backbones: a stem and stages."""

from collections.abc import Sequence

from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor, nn


class StagedBackbone(BaseBackbone):
    """A stem followed by stages; returns the outputs of chosen stages.

    Args:
        stem: Becomes the module ``stem``.
        stages: The stages in order, by module name.
        out_indices: Stages to return, counted from 0.
            Defaults to None, the last one.
        init_cfg: Initialisation config. Defaults to None: Kaiming for convolutions, 1
            for BN.

    Raises:
        ValueError: If ``out_indices`` names a stage that is not there.
    """

    def __init__(
        self,
        stem: nn.Module,
        stages: dict[str, nn.Module],
        out_indices: Sequence[int] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            init_cfg
            or [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', val=1, layer='_BatchNorm'),
            ]
        )
        if out_indices is None:
            out_indices = (len(stages) - 1,)
        if not set(out_indices) <= set(range(len(stages))):
            raise ValueError(
                f'{type(self).__name__}: out_indices={out_indices!r} must lie between '
                f'0 and {len(stages) - 1} ({", ".join(stages)})'
            )
        self.stem = stem
        for name, stage in stages.items():
            self.add_module(name, stage)
        self.stage_names = list(stages)
        self.out_indices = out_indices

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Computes the chosen stages.

        Args:
            x (Tensor): Images, (N, 3, H, W).

        Returns:
            tuple[Tensor]: One feature map for each of ``out_indices``.
        """
        outs = []
        x = self.stem(x)
        for i, name in enumerate(self.stage_names):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)
