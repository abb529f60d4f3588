"""How a frozen teacher and a student run together."""

import logging
from collections.abc import Sequence

import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmrazor.models.algorithms import SingleTeacherDistill
from mmrazor.models.utils import add_prefix
from mmrazor.registry import MODELS
from torch import Tensor, nn

from .acceleration import accelerate
from .class_counts import check_class_counts
from .early_stop import EarlyStop
from .inheritance import inherited_weights
from .networks import build_network, load_teacher
from .normalization import teacher_normalization


@MODELS.register_module()
class FeatureDistill(SingleTeacherDistill):
    r"""Distils features of a frozen teacher into a student.

    .. math:: L = L_\text{student} + w \sum_j L_{\text{distill}, j}

    with :math:`w` = :attr:`distill_weight`, which ``DistillWarmupHook`` moves.
    On top of MMRazor's ``SingleTeacherDistill``:

    - the teacher runs in eval mode, without autograd, and only up to the last
      module that is recorded (no head, no loss of its own);
    - a distiller with stages (``ReviewDistiller``) is built to fit the
      networks by one probe forward of both;
    - the teacher's checkpoint must fill all of the teacher;
    - both networks must expect the same images.

    The networks are model configs, or ``dict(cfg_path=...)`` naming a config
    file (or ``'package::file'``) whose ``model`` and ``data_preprocessor`` are
    meant, see :func:`build_network`.

    Args:
        distiller: Config of the distiller; names in it are MMRazor's.
        architecture: Student network.
        teacher: Teacher network.
        teacher_ckpt: Path or URL of the teacher's checkpoint.
        allow_random_teacher: Whether the teacher may have weights that no
            checkpoint gave. Defaults to False.
        teacher_acceleration: Options of :func:`accelerate` for the teacher,
            ``channels_last``, ``fuse_bn`` and ``compile``. Defaults to None (none
            of them).
        inherit: Modules of the student, such as ``('neck', 'bbox_head')``, that
            start as the teacher's where names and shapes agree, see
            :func:`inherited_weights`. Defaults to () (none).
        own_normalization: Whether the teacher's images are normalised as its own
            config says, where that is not how the student's are; otherwise this
            is an error. Defaults to False.
        input_shape: Shape (C, H, W) of the probe input. Fixed-size connectors
            are built for the map sizes that it gives. Defaults to
            (3, 224, 224).
        data_preprocessor: What turns a batch of the dataloader into the input
            of both networks. Defaults to None (the student's).
        **kwargs: Further arguments of ``SingleTeacherDistill``.

    Raises:
        ValueError: If the teacher would be (partly) random or trained, its
            checkpoint is of another network, the student would not be
            trained with its own loss, the networks expect other images or have
            other numbers of classes where these are compared, or there is nothing
            to inherit.
        FileNotFoundError: If there is no file at ``teacher_ckpt``.
    """

    def __init__(
        self,
        distiller: dict,
        architecture: dict | BaseModel,
        teacher: dict | BaseModel,
        teacher_ckpt: str | None = None,
        allow_random_teacher: bool = False,
        teacher_acceleration: dict | None = None,
        inherit: Sequence[str] = (),
        own_normalization: bool = False,
        input_shape: Sequence[int] = (3, 224, 224),
        data_preprocessor: dict | nn.Module | None = None,
        **kwargs,
    ) -> None:
        student = build_network(architecture)
        if isinstance(data_preprocessor, dict):
            # The runner passes the config's on, which may leave its type to the
            # network, as mmpretrain's do.
            data_preprocessor = {
                'type': type(student.data_preprocessor),
                **data_preprocessor,
            }
        super().__init__(
            # The networks are built in the scope of the config, what is
            # between them in MMRazor's.
            distiller={**distiller, '_scope_': 'mmrazor'},
            architecture=student,
            data_preprocessor=data_preprocessor,
            teacher=build_network(teacher),
            **kwargs,
        )
        for name, needed in (
            ('teacher_trainable', False),
            ('student_trainable', True),
            ('calculate_student_loss', True),
        ):
            if getattr(self, name) != needed:
                raise ValueError(
                    f'{name}={not needed}: FeatureDistill trains the student with its '
                    'own loss too, and the teacher not at all; leave it out, or use '
                    'mmrazor.SingleTeacherDistill'
                )
        check_class_counts(self.distiller, self.student, self.teacher)
        load_teacher(self.teacher, teacher_ckpt, allow_random_teacher)
        self._inherited = inherited_weights(self.student, self.teacher, inherit)
        self._renormalize = teacher_normalization(
            self.data_preprocessor, self.teacher.data_preprocessor, own_normalization
        )
        accelerate(self.teacher, **(teacher_acceleration or {}))
        self.distill_weight = 1.0
        self._early_stop = EarlyStop(self.distiller, self.teacher, from_student=False)
        # The layers say which kernels they use: in the log of the training.
        logger = logging.getLogger('famkd')
        logger.handlers = list(MMLogger.get_current_instance().handlers)
        logger.setLevel(logging.INFO)
        if hasattr(self.distiller, 'build_stages'):
            self._probe(tuple(input_shape))

    def init_weights(self) -> None:
        """Initialises the networks; what is inherited comes last."""
        super().init_weights()
        self.student.load_state_dict(self._inherited, strict=False)
        self._inherited = {}

    def loss(
        self, batch_inputs: Tensor, data_samples: list | None = None
    ) -> dict[str, Tensor]:
        """Losses of the student and of the distiller, ready to be summed.

        Args:
            batch_inputs: Batch of shape (N, C, H, W), preprocessed.
            data_samples: Ground truth, as the student takes it.

        Returns:
            dict: ``student.*``, ``distill.*`` (weighted) and the current
            ``distill_weight``.
        """
        distiller = self.distiller
        distiller.set_deliveries_override(False)
        self._run_teacher(batch_inputs, data_samples)

        distiller.set_deliveries_override(True)
        with distiller.student_recorders, distiller.deliveries:
            losses = add_prefix(
                self.student(batch_inputs, data_samples, mode='loss'), 'student'
            )
        if not self.distillation_stopped:
            terms = distiller.compute_distill_losses()
            weighted = {name: self.distill_weight * v for name, v in terms.items()}
            losses.update(add_prefix(weighted, 'distill'))
            losses['distill_weight'] = batch_inputs.new_tensor(self.distill_weight)
        _forget_records(distiller)
        return losses

    @torch.no_grad()
    def predict_with_teacher(self, data: dict) -> list:
        """Predictions of the teacher, for the images that it gets in training.

        Args:
            data: Batch of the dataloader, as ``val_step`` takes it.

        Returns:
            list: What ``val_step`` of a network gives.
        """
        data = self.data_preprocessor(data, False)
        images = self._renormalize(data['inputs'])
        return self.teacher(images, data['data_samples'], mode='predict')

    def train(self, mode: bool = True) -> 'FeatureDistill':
        """Sets the mode of student and distiller; the teacher stays in eval."""
        super().train(mode)
        self.teacher.eval()
        return self

    @torch.no_grad()
    def _run_teacher(self, batch_inputs: Tensor, data_samples: list | None) -> None:
        with (
            self.distiller.teacher_recorders,
            self.distiller.deliveries,
            self._early_stop,
        ):
            # What is recorded may lie in a loss that cannot be cut short.
            mode = 'tensor' if self._early_stop.possible else 'loss'
            self.teacher(self._renormalize(batch_inputs), data_samples, mode=mode)

    @torch.no_grad()
    def _probe(self, input_shape: tuple[int, ...]) -> None:
        """Builds the distiller's stages from one forward of both networks."""
        self.teacher.eval()
        modes = {module: module.training for module in self.student.modules()}
        self.student.eval()
        probe = torch.zeros(1, *input_shape)
        with self.distiller.teacher_recorders, self._early_stop:
            self.teacher(probe, None, mode='tensor')
        early_stop = EarlyStop(self.distiller, self.student, from_student=True)
        with self.distiller.student_recorders, early_stop:
            self.student(probe, None, mode='tensor')
        self.distiller.build_stages()
        _forget_records(self.distiller)
        for module, training in modes.items():
            module.training = training


def _forget_records(distiller: nn.Module) -> None:
    """Lets the features go: the recorders would hold them until the next step."""
    for manager in (distiller.student_recorders, distiller.teacher_recorders):
        for recorder in manager.recorders.values():
            recorder.reset_data_buffer()
