"""FourierKD: a loss with layers of its own at every stage."""

from mmengine.model import ModuleList
from mmrazor.registry import MODELS
from torch import Tensor

from .stage_distiller import StageDistiller, build_part
from .targets import Targets


@MODELS.register_module()
class FourierKDDistiller(StageDistiller):
    """Compares each pair of stages by a loss with layers, which are trained with it.

    Where the student has other channels than the teacher, give a ``connector``; sizes
    must agree.

    Args:
        stage_loss: Config of :class:`FourierKDLoss`, built for each stage with the
            teacher's ``channels``.
        **kwargs: Arguments of :class:`StageDistiller`, without ``loss``.

    Source: `FourierKD <https://doi.org/10.1109/LSP.2024.3515795>`_.
    """

    own_loss = True

    def __init__(self, stage_loss: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        self.stage_loss = stage_loss
        self.losses = ModuleList()

    def build(self, students: list[Tensor], teachers: list[Tensor]) -> None:
        """Builds the connectors, if there are any, and the losses."""
        super().build(students, teachers)
        for teacher in teachers:
            self.losses.append(build_part(self.stage_loss, channels=teacher.shape[1]))
        self.check_shapes(self.losses, students, teachers)

    def stage_losses(
        self, students: list[Tensor], teachers: list[Tensor], targets: Targets
    ) -> dict[str, Tensor]:
        """One ``loss_stage{i}`` for every stage, 1 the shallowest."""
        stages = zip(self.losses, self.connect(students), teachers, strict=True)
        return {
            f'loss_stage{i}': loss(student, teacher)
            for i, (loss, student, teacher) in enumerate(stages, start=1)
        }
