"""How the frequency prompts of a frozen teacher are tuned."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import torch
from mmengine.model import BaseModel, BaseModule
from mmrazor.registry import MODELS
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from famkd.layers import mask_overlap, prompted_map
from famkd.layers.frequency_masks import OVERLAPS
from famkd.models.connectors import FrequencyPrompt
from famkd.models.module_names import check_module_name
from famkd.models.probe import probe
from famkd.models.teacher_note import (
    fingerprint,
    note_from_tensor,
    note_to_tensor,
    same_teacher,
    tell_teacher,
)

from .networks import build_teacher
from .teacher_weights import load_teacher


@MODELS.register_module()
class PromptTuning(BaseModel):
    r"""Tunes semantic frequency prompts on a frozen teacher (FreeKD, stage 1).

    .. math::
        L = L_\text{task} + \lambda \sum_\text{maps} L_\text{overlap}

    The maps that the module ``source`` gives, one or several, are replaced by the
    prompted ones (:class:`FrequencyPrompt`, one for each map), so that all that
    follows sees them. Nothing but the prompts is trained, and nothing else is in the
    checkpoint: the teacher comes from its own checkpoint, its BN is in eval mode, and
    there is no gradient below ``source``. Validation runs with the prompts: a result
    behind the teacher's own says that they have closed places that matter.

    Logged besides the losses: ``overlap``, the mean over pairs of prompts, bands and
    maps (1 where all prompts ask for the same), and ``mask_low``, ``mask_level1``,
    ...: the mean mask of each band.

    Args:
        teacher: Network, see :func:`build_teacher`: any detector or segmentor.
        teacher_ckpt: Path or URL of its checkpoint.
        source: Module whose output is prompted. Defaults to ``'neck'``.
        num_prompts: T, prompts per band. Defaults to 2.
        levels: Levels of the wavelet transform. Defaults to 3.
        overlap: ``'jaccard'`` (the paper's) or ``'dice'`` (the released code's), see
            :func:`famkd.layers.mask_overlap`. Defaults to ``'jaccard'``.
        overlap_weight: :math:`\lambda`. Defaults to 1.
        allow_random_teacher: Whether the teacher may have weights that no checkpoint
            gave. Defaults to False.
        allow_unused_weights: Whether the checkpoint may be of a larger network.
            Defaults to False.
        input_shape: Shape (C, H, W) of the image of zeros with which the maps are
            found. Defaults to (3, 256, 256).
        data_preprocessor: What turns a batch of the dataloader into the input.
            Defaults to None (the teacher's).

    Raises:
        FileNotFoundError: If there is no file at ``teacher_ckpt``.
        ValueError: If the teacher would be (partly) random, ``source`` is no module
            or gives no maps, the overlap is unknown or its weight no number of at
            least 0, or one prompt is to be kept from overlapping; at the first batch,
            if the loss does not depend on the maps.

    Source: FreeKD (CVPR 2024), https://arxiv.org/abs/2311.12079. The authors have not
    released this stage.
    """

    def __init__(
        self,
        teacher: dict | BaseModel,
        teacher_ckpt: str | None = None,
        source: str = 'neck',
        num_prompts: int = 2,
        levels: int = 3,
        overlap: str = 'jaccard',
        overlap_weight: float = 1.0,
        allow_random_teacher: bool = False,
        allow_unused_weights: bool = False,
        input_shape: Sequence[int] = (3, 256, 256),
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        if overlap not in OVERLAPS:
            raise ValueError(f'overlap={overlap!r}: use {" or ".join(OVERLAPS)}')
        is_number = isinstance(overlap_weight, (int, float))
        if not is_number or not 0 <= overlap_weight < math.inf:
            raise ValueError(
                f'overlap_weight={overlap_weight!r} must be a number of at least 0'
            )
        if num_prompts == 1 and overlap_weight:
            raise ValueError(
                f'num_prompts=1, but overlap_weight={overlap_weight}: one prompt has '
                'no other to overlap with; set overlap_weight=0, or more prompts'
            )
        network = build_teacher(teacher)
        if isinstance(data_preprocessor, dict):
            kind = type(network.data_preprocessor)
            data_preprocessor = {'type': kind, **data_preprocessor}
        super().__init__(data_preprocessor or network.data_preprocessor)
        check_module_name(source, network, 'teacher', key='source')
        load_teacher(network, teacher_ckpt, allow_random_teacher, allow_unused_weights)
        # Past nn.Module: a submodule would be trained, saved and averaged.
        self.__dict__['teacher'] = network.eval().requires_grad_(False)
        self.source = source
        self.overlap = overlap
        self.overlap_weight = overlap_weight
        self._note = dict(path=teacher_ckpt)
        if teacher_ckpt is not None:
            self._note['hash'] = fingerprint(network.state_dict())
        self.prompts = nn.ModuleList()
        try:
            maps = self._maps(lambda: probe(network, input_shape))
        except (AttributeError, TypeError) as error:  # the heads of two-stage detectors
            raise ValueError(
                f'source={source!r}: without ground truth, the teacher does not run as '
                f'far as that ({type(error).__name__}: {error}); name a module before '
                'its heads, such as the neck'
            ) from error
        if not maps:
            raise ValueError(
                f'source={source!r} of the teacher gives no maps: its forward does not '
                'run in a forward pass of the teacher; name a module that does, such '
                'as the neck'
            )
        for feature in maps:
            self.prompts.append(FrequencyPrompt(feature.shape[1], num_prompts, levels))

    def init_weights(self) -> None:
        """Initialises the teacher, if no checkpoint has filled it."""
        super().init_weights()
        if not self.teacher.is_init:
            self.teacher.init_weights()

    def forward(
        self,
        inputs: Tensor,
        data_samples: list | None = None,
        mode: str = 'tensor',
    ) -> dict | list | Tensor | tuple:
        """Outputs of the teacher with its maps prompted; losses in mode ``'loss'``.

        Args:
            inputs: Batch of shape (N, C, H, W), preprocessed.
            data_samples: Ground truth, as the teacher takes it.
            mode: ``'tensor'``, ``'loss'`` or ``'predict'``. Defaults to ``'tensor'``.
        """
        masks = []
        with self._replaced(lambda maps: self._prompted(maps, masks)):
            result = self.teacher(inputs, data_samples, mode=mode)
        if mode != 'loss':
            return result
        self._check_task(result)
        overlap = sum(mask_overlap(m, self.overlap) for m in masks)
        bands = len(masks[0])
        result['loss_overlap'] = self.overlap_weight * overlap
        result['overlap'] = overlap.detach() / (len(masks) * bands)
        names = ['mask_low', *(f'mask_level{i}' for i in range(1, bands))]
        for name, of_maps in zip(names, zip(*masks, strict=True), strict=True):
            result[name] = sum(m.detach().mean() for m in of_maps) / len(of_maps)
        return result

    @torch.no_grad()
    def masks(self, inputs: Tensor) -> list[list[Tensor]]:
        """The masks of each map and band, shape (N, T, h, w) of the band.

        Args:
            inputs: Batch of shape (N, C, H, W), preprocessed.
        """
        return self._masks(
            self._maps(lambda: self.teacher(inputs, None, mode='tensor'))
        )

    def predict_with_teacher(self, data: dict) -> list:
        """Predictions of the teacher without prompts, to compare with.

        Args:
            data: Batch of the dataloader, as ``val_step`` takes it.
        """
        data = self.data_preprocessor(data, False)
        return self.teacher(**data, mode='predict')

    def _maps(self, forward: Callable[[], object]) -> list[Tensor]:
        """The maps of the source in a forward pass, which ends there."""
        found: list[Tensor] = []

        def find(maps: list[Tensor]) -> list[Tensor]:
            found.extend(maps)
            raise _Found

        with suppress(_Found), self._replaced(find):
            forward()
        return found

    def _prompted(self, maps: list[Tensor], masks: list) -> list[Tensor]:
        """The prompted maps; adds the masks of each to ``masks``."""
        # Nothing below learns.
        maps = [feature.detach() for feature in maps]
        found = self._masks(maps)
        masks += found
        return [prompted_map(x, m) for x, m in zip(maps, found, strict=True)]

    def _masks(self, maps: list[Tensor]) -> list[list[Tensor]]:
        """The masks of each map, which must be as many as there are prompts of."""
        if len(maps) != len(self.prompts):
            raise ValueError(
                f'source={self.source!r} of the teacher gives {len(maps)} maps, but '
                f'gave {len(self.prompts)} for an image of input_shape; name a module '
                'that always gives as many'
            )
        return [p.masks(x) for p, x in zip(self.prompts, maps, strict=True)]

    def _check_task(self, losses: dict) -> None:
        """Refuses a task that no prompt changes: all else is frozen."""
        depends = any(loss.requires_grad for loss in tree_leaves(losses))
        if torch.is_grad_enabled() and not depends:
            raise ValueError(
                f'source={self.source!r}: the loss of the teacher does not depend on '
                'its maps, so there is nothing to tune prompts with; name a module '
                'that comes before the heads, such as the neck'
            )

    @contextmanager
    def _replaced(self, change: Callable[[list[Tensor]], list[Tensor]]) -> Iterator:
        """Context in which the maps of the source are replaced by others."""

        def hook(module: nn.Module, inputs: tuple, output: object) -> object:
            single = isinstance(output, Tensor)
            maps = [output] if single else output
            are_several = isinstance(maps, (list, tuple)) and len(maps) > 0
            if not are_several or not all(
                isinstance(x, Tensor) and x.ndim == 4 for x in maps
            ):
                raise ValueError(
                    f'source={self.source!r} of the teacher gives no maps '
                    f'(N, C, H, W), but a {type(output).__name__}; name a module '
                    'whose output is a map or several, such as the neck'
                )
            changed = change(list(maps))
            return changed[0] if single else type(output)(changed)

        module = self.teacher.get_submodule(self.source)
        handle = module.register_forward_hook(hook)
        try:
            yield
        finally:
            handle.remove()

    def train(self, mode: bool = True) -> 'PromptTuning':
        """Sets the mode; the layers of the teacher (BN, dropout) stay in eval."""
        super().train(mode)
        for module in self.teacher.modules():
            # A head of OpenMMLab may compute its losses in training mode only.
            module.training = mode and isinstance(module, BaseModule)
        return self

    def _apply(self, fn: Callable, *args, **kwargs) -> 'PromptTuning':
        """Moves the teacher along (``to``, ``cuda``, ...)."""
        self.teacher._apply(fn, *args, **kwargs)
        return super()._apply(fn, *args, **kwargs)

    def get_extra_state(self) -> Tensor:
        """Which teacher it is, for the checkpoint."""
        return note_to_tensor(self._note)

    def set_extra_state(self, state: Tensor) -> None:
        """Refuses prompts that were tuned on another teacher."""
        other = note_from_tensor(state)
        if not same_teacher(self._note, other):
            raise ValueError(
                f'these prompts were tuned on {tell_teacher(other)}, but teacher_ckpt '
                f'is {tell_teacher(self._note)}; go on with the same teacher'
            )


class _Found(Exception):
    """The maps are found; what follows them may need the ground truth."""
