"""How a frozen teacher and a student run together."""

import logging
from collections.abc import Sequence
from inspect import signature

import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmrazor.models.algorithms.base import BaseAlgorithm
from mmrazor.models.utils import add_prefix
from mmrazor.registry import MODELS
from torch import Tensor, nn

from famkd.models.distillers.loss_weights import check_loss_weights
from famkd.models.distillers.records import check_record_shapes
from famkd.models.distillers.stages import check_sources
from famkd.models.probe import probe
from famkd.models.teacher_note import (
    TeacherIdentity,
    fingerprint,
    note_from_tensor,
    note_to_tensor,
)

from .class_counts import check_class_counts
from .early_stop import EarlyStop
from .feature_cache import FeatureCache
from .finite_features import FLOAT16, check_finite_features, float16_is_finite
from .inheritance import inherited_weights
from .networks import build_network, build_teacher
from .options import check_teacher_options, refuse_options_of_mmrazor, refuse_unknown
from .sizes import log_sizes
from .teacher import FrozenTeacher
from .teacher_weights import load_teacher


@MODELS.register_module()
class FeatureDistill(BaseAlgorithm):
    r"""Distils features of a frozen teacher into a student.

    .. math:: L = L_\text{student} + w \sum_j L_{\text{distill}, j}

    with :math:`w` = :attr:`distill_weight`, which ``DistillWarmupHook`` moves. It takes
    the place of MMRazor's ``SingleTeacherDistill``:

    - the teacher runs in eval mode, without autograd, and only up to the last module
      that is recorded (no head, no loss of its own, unless its logits are recorded);
    - the teacher is a guest, see :class:`FrozenTeacher`: checkpoints hold the student
      and the distiller, and a note of which teacher it was;
    - a distiller with stages (:class:`StageDistiller`) is built to fit the networks by
      one probe forward of both, and gets the ground truth of every batch;
    - the teacher's checkpoint must fill all of the teacher;
    - both networks must expect the same images.

    Without the student's own loss no labels are needed: the student learns the
    features alone, and needs no head.

    The networks are model configs, or ``dict(cfg_path=...)`` naming a config file (or
    ``'package::file'``) whose ``model`` and ``data_preprocessor`` are meant, see
    :func:`build_network`.

    Args:
        distiller: Config of the distiller; names in it are MMRazor's.
        architecture: Student network.
        teacher: Teacher network; an instance keeps the weights that it has (initialise
            it before), and is changed (frozen, its BN folded).
        teacher_ckpt: Path or URL of the teacher's checkpoint.
        allow_random_teacher: Whether the teacher may have weights that no checkpoint
            gave. Defaults to False.
        allow_other_teacher: Whether a training may go on with another teacher than the
            one that it began with. Defaults to False.
        allow_unused_weights: Whether the teacher's checkpoint may be of a larger
            network: have weights of no use, other than those of heads, necks and
            averaged copies. Defaults to False.
        teacher_options: How the teacher runs: ``channels_last``, ``fuse_bn``,
            ``compile``, ``dtype``, ``own_normalization``, ``input_size``,
            ``input_scale`` and ``shard`` of :class:`FrozenTeacher`. Defaults to None
            (as the student).
        calculate_student_loss: Whether the student is trained with its own loss, too.
            Defaults to True.
        feature_cache: Folder of the teacher's features, written by
            ``tools/cache_teacher.py``: they are read from there, and a step costs the
            student alone. Defaults to None (the teacher runs).
        inherit: Modules of the student, such as ``('neck', 'bbox_head')``, that start
            as the teacher's where names and shapes agree, see
            :func:`inherited_weights`. Defaults to () (none).
        input_shape: Shape (C, H, W) of the probe input. Fixed-size connectors are
            built for the map sizes that it gives. Defaults to (3, 224, 224).
        data_preprocessor: What turns a batch of the dataloader into the input of both
            networks. Defaults to None (the student's).
        **kwargs: Further arguments of MMRazor's ``BaseAlgorithm``.

    Raises:
        ValueError: If the teacher would be (partly) random or trained, its checkpoint
            is of another network, the student has no loss of its own and shall be
            trained with it, the networks expect other images or have other numbers of
            classes where these are compared, there is nothing to inherit, or a resumed
            training has another teacher.
        FileNotFoundError: If there is no file at ``teacher_ckpt``, or no features in
            ``feature_cache``.
    """

    def __init__(
        self,
        distiller: dict,
        architecture: dict | BaseModel,
        teacher: dict | BaseModel,
        teacher_ckpt: str | None = None,
        allow_random_teacher: bool = False,
        allow_other_teacher: bool = False,
        allow_unused_weights: bool = False,
        teacher_options: dict | None = None,
        calculate_student_loss: bool = True,
        feature_cache: str | None = None,
        inherit: Sequence[str] = (),
        input_shape: Sequence[int] = (3, 224, 224),
        data_preprocessor: dict | nn.Module | None = None,
        **kwargs,
    ) -> None:
        refuse_options_of_mmrazor(kwargs)
        refuse_unknown(kwargs, FeatureDistill)
        check_teacher_options(teacher_options or {}, FrozenTeacher)
        student = build_network(architecture)
        if calculate_student_loss and getattr(student, 'head', True) is None:
            raise ValueError(
                'model.architecture: the student has no head, and so no loss of its '
                'own; give it one, or set model.calculate_student_loss=False to learn '
                'from the teacher alone'
            )
        if isinstance(data_preprocessor, dict):
            # The runner passes the config's on, which may leave its type to the
            # network, as mmpretrain's do.
            data_preprocessor = {
                'type': type(student.data_preprocessor),
                **data_preprocessor,
            }
        super().__init__(student, data_preprocessor, **kwargs)
        # Mixup and the like, which mmpretrain has in the student's train_cfg.
        augments = getattr(student.data_preprocessor, 'batch_augments', None)
        if augments and not getattr(self.data_preprocessor, 'batch_augments', None):
            self.data_preprocessor.batch_augments = augments
        teacher = build_teacher(teacher)
        # The networks are built in the scope of the config, what is between them in
        # MMRazor's.
        self.distiller = MODELS.build({**distiller, '_scope_': 'mmrazor'})
        check_sources(self.distiller.student_recorders, student, 'student')
        check_sources(self.distiller.teacher_recorders, teacher, 'teacher')
        self.distiller.prepare_from_student(student)
        self.distiller.prepare_from_teacher(teacher)
        check_class_counts(self.distiller, student, teacher)

        load_teacher(teacher, teacher_ckpt, allow_random_teacher, allow_unused_weights)
        self._identity = TeacherIdentity(teacher_ckpt, allow_other_teacher)
        if teacher_ckpt is not None or (teacher_options or {}).get('shard'):
            self._identity.complete(teacher)
        self._inherited = inherited_weights(student, teacher, inherit)
        self.guest = FrozenTeacher(
            teacher, self.distiller, self.data_preprocessor, **(teacher_options or {})
        )
        self.calculate_student_loss = calculate_student_loss
        self._student_stop = EarlyStop(self.distiller, student, from_student=True)
        self.distill_weight = 1.0
        # MMRazor's StopDistillHook sets it; what is between the networks gets no
        # gradient then: find_unused_parameters=True in several processes.
        self.distillation_stopped = False
        # The layers say which kernels they use: in the log of the training.
        logger = logging.getLogger('famkd')
        logger.handlers = list(MMLogger.get_current_instance().handlers)
        logger.setLevel(logging.INFO)
        if hasattr(self.distiller, 'check_teacher'):
            self.distiller.check_teacher(self._identity.note)
        self._input_shape = input_shape
        if hasattr(self.distiller, 'build_stages'):
            self._build_stages(input_shape)
        check_loss_weights(self.distiller)
        self._wants_ground_truth = (
            'data_samples'
            in signature(self.distiller.compute_distill_losses).parameters
        )
        self._is_first_batch = True
        self._teacher_is_finite = torch.tensor(True)
        self._cache = None
        if feature_cache is not None:
            self._cache = self.open_cache(feature_cache)
        log_sizes(student, self.distiller, teacher)
        if self.teacher.is_init:  # not earlier, or it would get what is folded away
            self._fold_teacher()

    @property
    def student(self) -> BaseModel:
        """The student, MMRazor's ``architecture``."""
        return self.architecture

    @property
    def teacher(self) -> BaseModel:
        """The teacher's network."""
        return self.guest.network

    def init_weights(self) -> None:
        """Initialises the networks; what is inherited comes last.

        A teacher without a checkpoint then has its weights, and its BN are folded.
        """
        super().init_weights()
        if not self.teacher.is_init:  # no checkpoint has filled it
            self.teacher.init_weights()
            self._fold_teacher()
        self.student.load_state_dict(self._inherited, strict=False)
        self._inherited = {}

    def _fold_teacher(self) -> None:
        """Folds the teacher's BN; its note is of the weights as they were given."""
        self._identity.complete(self.teacher)
        if self._cache is None:  # or it does not run
            self.guest.fold_bn(self._input_shape)
            self._forget_records()

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

        Raises:
            FloatingPointError: If a feature of the teacher is not finite, at the first
                batch: later, to look would make each step wait for the device.
            ValueError: If a loss fails that compares records of different shapes.
        """
        if self.distillation_stopped:
            return self._run_student(batch_inputs, data_samples)
        self._identity.check(self.teacher)
        distiller = self.distiller
        distiller.set_deliveries_override(False)
        with distiller.teacher_recorders, distiller.deliveries:
            if self._cache is None:
                self.guest.record(batch_inputs, data_samples)
            else:
                features = self._cache.read(batch_inputs, data_samples)
                distiller.put_teacher_features(features)
        if self._is_first_batch:
            check_finite_features(distiller.teacher_recorders)
            self._is_first_batch = False
        self._teacher_is_finite = float16_is_finite(distiller.teacher_recorders)

        distiller.set_deliveries_override(True)
        with distiller.student_recorders, distiller.deliveries:
            losses = self._run_student(batch_inputs, data_samples)
        given = (data_samples,) if self._wants_ground_truth else ()
        try:
            terms = distiller.compute_distill_losses(*given)
        except torch.OutOfMemoryError:
            raise
        except (AssertionError, RuntimeError):  # which say little of the cause
            check_record_shapes(distiller)
            raise
        weighted = {name: self.distill_weight * v for name, v in terms.items()}
        losses.update(add_prefix(weighted, 'distill'))
        losses['distill_weight'] = batch_inputs.new_tensor(self.distill_weight)
        self._forget_records()
        return losses

    def _run_student(
        self, batch_inputs: Tensor, data_samples: list | None
    ) -> dict[str, Tensor]:
        """Its own losses, if it has any, while its features are recorded."""
        if self.calculate_student_loss:
            losses = self.student(batch_inputs, data_samples, mode='loss')
            return add_prefix(losses, 'student')
        with self._student_stop:
            self.student(batch_inputs, data_samples, mode='tensor')
        return {}

    def features_key(self) -> dict[str, object]:
        """What the teacher's features depend on beside the images, for a cache.

        Raises:
            ValueError: If the distiller takes more of the teacher than its stages.
        """
        distiller = self.distiller
        if (
            not hasattr(distiller, 'teacher_features')
            or distiller.deliveries.deliveries
        ):
            raise ValueError(
                f'feature_cache: {type(distiller).__name__} takes more of the teacher '
                'than the features of stages; use a distiller with stages '
                '(StageDistiller, ReviewDistiller), without deliveries'
            )
        stages = [str(stage) for stage in distiller.teacher_stages]
        return dict(
            teacher=self._identity.complete(self.teacher)['hash'],
            stages=stages,
            **self.guest.settings,
        )

    def open_cache(self, path: str) -> FeatureCache:
        """A cache of this teacher's features.

        Args:
            path: Its folder.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If it is of another teacher, or damaged.
        """
        recorders = self.distiller.teacher_recorders.recorders
        return FeatureCache(path, self.features_key(), recorders)

    @torch.no_grad()
    def teacher_features(
        self, batch_inputs: Tensor, data_samples: list | None = None
    ) -> dict[str, Tensor]:
        """The teacher's features of a batch, for a cache.

        Args:
            batch_inputs: Batch of shape (N, C, H, W), preprocessed.
            data_samples: Ground truth, as the networks take it.

        Returns:
            dict: Name of the recorder -> features (N, ...).

        Raises:
            FloatingPointError: If one is not finite.
        """
        with self.distiller.teacher_recorders:
            self.guest.record(batch_inputs, data_samples)
        check_finite_features(self.distiller.teacher_recorders)
        features = self.distiller.teacher_features()
        self._forget_records()
        return features

    def describe_loss(self, name: str) -> str:
        """The modules that a loss compares; '' if it is none of a stage.

        Args:
            name: Name of the loss, as in the log.
        """
        sources = getattr(self.distiller, 'loss_sources', dict)()
        return sources.get(name.removeprefix('distill.'), '')

    def advise_loss(self, name: str) -> str:
        """What to do about a loss that is not finite; '' if there is nothing special.

        A teacher in float16 that overflows at this batch is no matter of learning.

        Args:
            name: Name of the loss, as in the log.
        """
        if self._teacher_is_finite or not name.startswith('distill.'):
            return ''
        return f'the teacher has overflown: {FLOAT16}'

    @torch.no_grad()
    def predict_with_teacher(self, data: dict) -> list:
        """Predictions of the teacher, for the images that it gets in training.

        Args:
            data: Batch of the dataloader, as ``val_step`` takes it.

        Returns:
            list: What ``val_step`` of a network gives.

        Raises:
            ValueError: If it has no head, and so no predictions, or would give boxes in
                images of another size than those of the data.
        """
        if getattr(self.teacher, 'head', True) is None:
            raise ValueError(
                'the teacher has no head, and so no predictions to evaluate; leave '
                '--eval-teacher (EvalTeacherHook) out'
            )
        data = self.data_preprocessor(data, False)
        samples = data['data_samples']
        size = self.guest.size_for(data['inputs'])
        resizes = size not in (None, tuple(data['inputs'].shape[-2:]))
        if resizes and samples and 'gt_instances' in samples[0]:
            raise ValueError(
                f'the teacher gets images of {size} (input_size or input_scale of '
                'teacher_options), so its boxes are not those of the data, and cannot '
                'be evaluated; leave --eval-teacher (EvalTeacherHook) out'
            )
        return self.guest.predict(data['inputs'], samples)

    def get_extra_state(self) -> Tensor:
        """Which teacher it is, for the checkpoint."""
        return note_to_tensor(self._identity.complete(self.teacher))

    def set_extra_state(self, state: Tensor) -> None:
        """Keeps which teacher a checkpoint was made with."""
        self._identity.resume(note_from_tensor(state))

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args
    ) -> None:
        # Those from before the teacher was a guest hold it.
        name = f'{prefix}teacher.'
        keys = [key for key in state_dict if key.startswith(name)]
        weights = {key.removeprefix(name): state_dict.pop(key) for key in keys}
        if weights:
            self._identity.resume(
                dict(path='in the checkpoint', hash=fingerprint(weights))
            )
        super()._load_from_state_dict(state_dict, prefix, *args)

    @torch.no_grad()
    def _build_stages(self, input_shape: Sequence[int]) -> None:
        """Builds the distiller's stages from one forward of both networks.

        It ends at the stages: what comes after them may need the ground truth.
        """
        distiller = self.distiller
        stop = EarlyStop(distiller, self.teacher, from_student=False, for_stages=True)
        with distiller.teacher_recorders:
            probe(self.teacher, input_shape, lambda x: self.guest.record(x, None, stop))
        stop = EarlyStop(distiller, self.student, from_student=True, for_stages=True)
        with distiller.student_recorders, stop:
            probe(self.student, input_shape)
        distiller.build_stages()
        self._forget_records()

    def _forget_records(self) -> None:
        """Lets the features go: the recorders would hold them until the next step."""
        distiller = self.distiller
        for manager in (distiller.student_recorders, distiller.teacher_recorders):
            for recorder in manager.recorders.values():
                recorder.reset_data_buffer()
