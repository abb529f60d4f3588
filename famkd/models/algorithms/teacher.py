"""The teacher: a guest in the algorithm, not a part of it."""

import copy
import hashlib
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from mmengine.dist import get_world_size
from mmengine.logging import print_log
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmrazor.models.distillers import ConfigurableDistiller
from torch import Tensor
from torch.nn.functional import interpolate

from famkd.models.probe import probe

from .early_stop import EarlyStop
from .fold_bn import fold_bn
from .normalization import teacher_normalization
from .options import to_dtype, to_scale, to_size
from .patches import Patches
from .sharding import shard as shard_weights


class FrozenTeacher:
    """A network that is only looked at: in eval mode, without autograd, never saved.

    It is no ``nn.Module``, so that the algorithm that holds it has none of the
    teacher's weights among its own: not in its state dict (and so in no checkpoint),
    not in its parameters (optimizer, DDP) and not in copies (EMA), which share them.
    It follows the images to their device and, without a ``dtype``, to
    their precision.

    Args:
        network: The teacher, with its weights.
        distiller: Distiller whose recorders are attached to it.
        images: Preprocessor that the images went through.
        channels_last: Whether to lay out its weights, and so its features, with the
            channels innermost. Defaults to False.
        fuse_bn: Whether BN are folded into the convolutions before them, see
            :meth:`fold_bn`. Defaults to True.
        compile: Whether to compile it with ``torch.compile`` at its first batch. Its
            forward pass then runs to its end, and its BN are not folded. Defaults to
            False.
        dtype: Precision of its weights and features, such as ``'bfloat16'``. Defaults
            to None: that of the training, mixed where that is.
        own_normalization: Whether its images are normalised as its own config says,
            where that is not how the student's are; otherwise this is an error.
            Defaults to False.
        input_size: Height and width to which its images are resized (bilinear), or one
            number for both. Defaults to None: those of the student.
        input_scale: Instead, for images of changing sizes: the factor by which they
            are resized, to the nearest size of whole patches. Defaults to None.
        shard: Whether its weights are spread over the processes of a distributed
            training (FSDP2), so that each holds a part and gets the others when it
            needs them. Its forward pass then runs to its end. Defaults to False.

    Raises:
        ValueError: If an option has no such value, the networks expect other images, or
            images cannot be cut into patches.
    """

    def __init__(
        self,
        network: BaseModel,
        distiller: ConfigurableDistiller,
        images: BaseDataPreprocessor,
        channels_last: bool = False,
        fuse_bn: bool = True,
        compile: bool = False,
        dtype: str | None = None,
        own_normalization: bool = False,
        input_size: int | tuple[int, int] | None = None,
        input_scale: float | None = None,
        shard: bool = False,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        for module in network.modules():
            if getattr(module, 'inplace', False):
                module.inplace = False  # would overwrite a recorded feature
        self.dtype = to_dtype(dtype)
        self.input_size = to_size(input_size)
        self.input_scale = to_scale(input_scale, input_size)
        self.patches = Patches(network)
        if self.input_size is not None:
            self.patches.check(self.input_size)
        self.shard = shard
        self.renormalize = teacher_normalization(
            images, network.data_preprocessor, own_normalization
        )
        # What its features depend on beside its weights.
        self.settings = dict(
            network=hashlib.blake2b(repr(network).encode(), digest_size=8).hexdigest(),
            precision=str(self.dtype),
            input=[self.input_size, self.input_scale],
            normalization=[x.flatten().tolist() for x in self.renormalize.buffers()],
        )
        if channels_last:
            network.to(memory_format=torch.channels_last)
        if self.dtype is not None:
            network.to(self.dtype)
        self.early_stop = EarlyStop(distiller, network, from_student=False)
        # Compiled code would not call the hooks that see what follows what.
        self._folds_bn = fuse_bn and not (shard or compile) and self.early_stop.possible
        self._recorders = distiller.teacher_recorders
        self._is_sharded = self._is_compiled = False
        self._compiles = compile

    def record(
        self,
        images: Tensor,
        data_samples: list | None,
        early_stop: EarlyStop | None = None,
    ) -> None:
        """Runs it with its recorders on, as far as the last module that they are on.

        Args:
            images: Batch (N, C, H, W), preprocessed for the student.
            data_samples: Ground truth of the batch.
            early_stop: What ends the pass instead. Defaults to None.
        """
        if early_stop is None:
            early_stop = self.early_stop
            self._shard_once(images)
            self._compile_once()
        # What is recorded may lie in a loss that cannot be cut short, which needs the
        # ground truth.
        mode = 'tensor' if early_stop.possible or data_samples is None else 'loss'
        if self.shard or self._is_compiled:
            # A pass that ends early would leave gathered weights behind, and nothing
            # that it ends in would be compiled.
            early_stop = nullcontext()
        with early_stop:
            self._run(images, data_samples, mode)

    def fold_bn(self, input_shape: Sequence[int]) -> None:
        """Folds its BN into the convolutions before them, see :func:`fold_bn`.

        That changes features by rounding, unless they are recorded between the two:
        those BN stay, as all do behind the last module that is recorded, of sharded or
        compiled weights, and where something else than modules is recorded. Its weights
        must be final. Copies that were made before have their own.

        Args:
            input_shape: Shape (C, H, W) of an image that is sent through it. If that
                fails, nothing is folded.
        """
        if not self._folds_bn:
            return

        def record() -> list:
            with self._recorders:
                probe(self.network, input_shape, lambda x: self.record(x, None))
                return [x.data_buffer for x in self._recorders.recorders.values()]

        try:
            fold_bn(self.network, record)
        except Exception as error:  # a head may need the ground truth, for example
            print_log(f"the teacher's BN are not folded: {error!r}", 'current')

    def predict(self, images: Tensor, data_samples: list) -> list:
        """Its predictions for a batch that is preprocessed for the student."""
        self._shard_once(images)
        return self._run(images, data_samples, 'predict')

    @torch.no_grad()
    def _run(self, images: Tensor, data_samples: list | None, mode: str) -> object:
        weight = next(self.network.parameters())
        dtype = self.dtype or images.dtype
        if (weight.device, weight.dtype) != (images.device, dtype):
            self.network.to(images.device, dtype)
            self.renormalize.to(images.device, images.dtype)
        images = self._resize(self.renormalize(images))
        precision = nullcontext()
        if self.dtype is not None:
            images = images.to(self.dtype)
            precision = torch.autocast(images.device.type, enabled=False)
        with precision:
            return self.network(images, data_samples, mode=mode)

    def _shard_once(self, images: Tensor) -> None:
        """Spreads the weights before they are on a device that may not hold them all.

        Not while the distiller is built: that is on the CPU.
        """
        if self.shard and not self._is_sharded and get_world_size() > 1:
            shard_weights(self.network)
            self.renormalize.to(images.device, images.dtype)
            self._is_sharded = True

    def _compile_once(self) -> None:
        """Has it compiled, but not for the one image with which stages are built."""
        if self._compiles and not self._is_compiled:
            # Or what is compiled for one of several blocks serves all of them, and
            # the recorders of the others are not called.
            torch._dynamo.config.skip_nnmodule_hook_guards = False
            self.network.compile()
            self._is_compiled = True

    def size_for(self, images: Tensor) -> tuple[int, int] | None:
        """Height and width to which images are resized; None if they are not."""
        if self.input_scale is None:
            return self.input_size
        return self.patches.nearest([self.input_scale * x for x in images.shape[-2:]])

    def _resize(self, images: Tensor) -> Tensor:
        size = self.size_for(images)
        self.patches.check(size or tuple(images.shape[-2:]))
        if size is None:
            return images
        return interpolate(images, size, mode='bilinear', antialias=True)

    def __deepcopy__(self, memo: dict) -> 'FrozenTeacher':
        """A copy, with recorders of its own, that shares the weights."""
        for tensor in (*self.network.parameters(), *self.network.buffers()):
            memo[id(tensor)] = tensor
        twin = object.__new__(FrozenTeacher)
        memo[id(self)] = twin
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin
