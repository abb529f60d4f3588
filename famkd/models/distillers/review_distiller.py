"""Knowledge review over stages: FAM-KD, ReviewKD and their relatives."""

from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.layers import resize_like
from famkd.models.connectors.review_fusion import ReviewFusion

from .stage_distiller import StageDistiller, build_part
from .stages import check_order
from .targets import Targets


@MODELS.register_module()
class ReviewDistiller(StageDistiller):
    r"""Reviews the stages of the student from deep to shallow.

    For every stage, from the deepest to the shallowest, with the student's feature
    :math:`f_i`, the teacher's :math:`g_i` and the review :math:`r`:

    .. math::
        r &\leftarrow \text{fusion}_i(f_i, r) \\
        r &\leftarrow \text{resize}(r, g_i) \\
        L_i &= \text{loss}(\text{head}_i(r), g_i)

    (nearest-neighbour resizing, where sizes differ; a fusion resizes the review to its
    feature). Fusion and head say which method it is: FAM-KD (``CrossAttentionFusion``,
    ``FAMHead``), ReviewKD (``ABFusion``, ``ConvHead``), FAM+ReviewKD (``ABFusion``,
    ``FAMHead``), layer-to-layer FAM-KD (``LocalAttentionFusion``, ``FAMHead``).

    Args:
        fusion: Config of a :class:`ReviewFusion`; ``mid_channels`` may be a number for
            all stages or a list.
        head: Config of a head, built with ``in_channels``, ``out_channels`` and
            ``size``.
        **kwargs: Arguments of :class:`StageDistiller`, the stages and the loss first
            of all.

    Raises:
        ValueError: If the fusion is none, ``mid_channels`` are too few, too many or
            not positive, or the stages are not given from shallow to deep.

    Source: `FAM-KD <https://arxiv.org/abs/2403.05894>`_, Figs. 2 and 3; `ReviewKD
    <https://arxiv.org/abs/2104.09044>`_, Fig. 2.
    """

    takes_connector = False  # fusion and head are

    def __init__(self, fusion: dict, head: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        self.fusion = fusion
        self.head = head

    def build(self, students: list[Tensor], teachers: list[Tensor]) -> None:
        """Builds a fusion and a head for every stage."""
        check_order(self.student_stages, students)
        check_order(self.teacher_stages, teachers)
        in_channels = [student.shape[1] for student in students]
        mid_channels = self._mid_channels(in_channels)
        review_channels = [*mid_channels[1:], None]
        for i, teacher in enumerate(teachers):
            fusion = build_part(
                self.fusion,
                in_channels=in_channels[i],
                review_channels=review_channels[i],
                mid_channels=mid_channels[i],
            )
            head = build_part(
                self.head,
                in_channels=mid_channels[i],
                out_channels=teacher.shape[1],
                size=tuple(teacher.shape[-2:]),
            )
            self.stages.append(nn.ModuleDict({'fusion': fusion, 'head': head}))
        # What a head gives has the shape of the teacher's feature.
        self.check_shapes([self.loss] * len(teachers), teachers, teachers)

    def stage_losses(
        self, students: list[Tensor], teachers: list[Tensor], targets: Targets
    ) -> dict[str, Tensor]:
        """One ``loss_stage{i}`` for every stage, 1 the shallowest."""
        losses = {}
        review = None
        for i in reversed(range(len(self.stages))):
            stage, teacher = self.stages[i], teachers[i]
            review = resize_like(stage['fusion'](students[i], review), teacher)
            output = stage['head'](review)
            losses[f'loss_stage{i + 1}'] = self.compare(output, teacher, targets)
        return losses

    def _mid_channels(self, in_channels: list[int]) -> list[int]:
        """Output channels of every fusion."""
        name = fusion = self.fusion['type']
        if isinstance(name, str):
            fusion = MODELS.get(name)
        if not (isinstance(fusion, type) and issubclass(fusion, ReviewFusion)):
            raise ValueError(
                f"fusion: type={name!r} is no ReviewFusion in MMRazor's registry; use "
                'CrossAttentionFusion, ABFusion or a subclass of ReviewFusion (is its '
                'module in custom_imports?)'
            )
        mid_channels = self.fusion.get('mid_channels')
        if mid_channels is None:
            return fusion.default_mid_channels(in_channels)
        if isinstance(mid_channels, int):
            mid_channels = [mid_channels] * len(in_channels)
        if not all(isinstance(x, int) and x > 0 for x in mid_channels):
            raise ValueError(
                f'fusion: mid_channels={self.fusion["mid_channels"]!r} must be whole '
                'numbers of at least 1; leave it out for those that the fusion chooses'
            )
        if len(mid_channels) != len(in_channels):
            raise ValueError(
                f'fusion: mid_channels={list(mid_channels)} are {len(mid_channels)} '
                f'numbers for {len(in_channels)} stages; give one for each stage, or '
                'one number for all'
            )
        return list(mid_channels)
