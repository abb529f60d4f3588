"""What only the data and the first batch can tell."""

from collections.abc import Iterator, Sized

import torch
from mmengine.dataset import DefaultSampler
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import Dataset

from famkd.runtime.unwrapped import unwrapped_model

from .segmentor_checks import check_segmentor

HEADS = 'head', 'bbox_head', 'decode_head'


@HOOKS.register_module()
class FirstBatchHook(Hook):
    """Names data that do not fit the model, before they stop the training later.

    - A training or validation without a batch.
    - A validation of a student without a head.
    - A segmentor whose heads, padding or windows do not fit: :func:`check_segmentor`.
    - A metric that looks at more classes (``topk``) than the student's head has.
    - A label of the first batch, of an image, a box or a pixel, that is no class of the
      student's head.
    - A batch of one image, which only the last of an epoch may be, where batch
      normalisation has a single value for each channel and image: it cannot be trained
      with it.

    ``tools/train.py`` adds it.

    Raises:
        ValueError: In the training, in these cases.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self._handles = []
        self._is_checked = False

    def before_train(self, runner: Runner) -> None:
        """Checks that there are batches, and that the metrics have what they need."""
        loops = dict(train=runner.train_loop, val=runner.val_loop)
        for part, loop in loops.items():
            if loop is None or not isinstance(loop.dataloader.sampler, Sized):
                continue
            if len(loop.dataloader) == 0:
                raise ValueError(
                    f'{part}_dataloader gives no batch: its data set has '
                    f'{len(loop.dataloader.dataset)} samples, for '
                    f'batch_size={loop.dataloader.batch_size}; correct its paths, or '
                    'set drop_last=False'
                )
        student = _student(runner)
        if runner.val_loop and getattr(student, 'head', True) is None:
            raise ValueError(
                'val_dataloader: the student has no head, and so no predictions to '
                'validate; set val_dataloader, val_evaluator and val_cfg to None '
                '(--no-validate)'
            )
        check_segmentor(
            student,
            unwrapped_model(runner).data_preprocessor,
            len(data_classes(runner.train_loop.dataloader.dataset)) or None,
            runner.val_loop is not None,
        )
        classes = head_classes(student)
        for metric in runner.val_loop.evaluator.metrics if runner.val_loop else []:
            most = max(getattr(metric, 'topk', None) or [0])
            if classes is not None and most > classes:
                raise ValueError(
                    f'val_evaluator.topk={most}: the head of the student has '
                    f'num_classes={classes}; give a smaller one'
                )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Checks the labels, and watches the normalisation layers, once."""
        if self._is_checked:
            return
        self._is_checked = True
        model, student = unwrapped_model(runner), _student(runner)
        classes = head_classes(student)
        samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else []
        for label in labels_of(samples or [], student):
            wrong = label[(label < 0) | (label >= classes)] if classes else ()
            if len(wrong):
                raise ValueError(
                    f'a label of the first batch is {int(wrong[0])}, but the head '
                    f'of the student has num_classes={classes}, 0 to {classes - 1}; '
                    'correct num_classes or the data set'
                )
        if smallest_batch(runner.train_dataloader) == 1:
            for name, module in model.named_modules():
                if isinstance(module, _BatchNorm) and module.training:
                    if not isinstance(module, nn.SyncBatchNorm):
                        check = _Check(name)
                        self._handles += [module.register_forward_pre_hook(check)]

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Lets the layers alone after the first batch."""
        for handle in self._handles:
            handle.remove()
        self._handles = []


def _student(runner: Runner) -> nn.Module:
    model = unwrapped_model(runner)
    return getattr(model, 'student', model)


class _Check:
    """Raises where a normalisation layer has one value for each channel and image."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: nn.Module, inputs: tuple[Tensor]) -> None:
        if inputs[0][0, 0].numel() == 1:
            raise ValueError(
                f'train_dataloader gives a batch of one image, but {self.name} '
                '(batch normalisation) has one value for each channel of an image, so '
                'that it needs two images at least; set '
                'train_dataloader.drop_last=True, or another batch_size'
            )


def smallest_batch(loader: torch.utils.data.DataLoader) -> int | None:
    """Images in the smallest batch of an epoch; None where it is not known."""
    size = loader.batch_size
    # Samplers of endless data have a length, too.
    if size is None or loader.drop_last or type(loader.sampler) is not DefaultSampler:
        return size
    return len(loader.sampler) % size or size


def data_classes(dataset: Dataset) -> list[str]:
    """The classes of a data set; none if it does not say."""
    return list((getattr(dataset, 'metainfo', None) or {}).get('classes') or [])


def head_classes(network: nn.Module) -> int | None:
    """How many classes the head of a network tells apart; None if that is unknown.

    Two are told apart with one output, too.
    """
    if type(network).__name__ == 'RPN':  # finds objects, of whatever class
        return None
    for holder in (network, getattr(network, 'roi_head', None)):
        for name in HEADS:
            head = _last(getattr(holder, name, None))
            count = getattr(head, 'num_classes', None)
            if count is not None:
                return max(count, 2) if name == 'decode_head' else count
    return None


def labels_of(samples: list, network: nn.Module) -> Iterator[Tensor]:
    """The labels of images, of the boxes in them or of their pixels.

    Args:
        samples: What a data set says about each image.
        network: The network that learns them; its head says which pixels do not count.
    """
    decode_head = _last(getattr(network, 'decode_head', None))
    for sample in samples:
        label = getattr(sample, 'gt_label', None)
        if label is None and 'gt_instances' in sample:
            label = sample.gt_instances.get('labels')
        if label is None and decode_head is not None and 'gt_sem_seg' in sample:
            label = sample.gt_sem_seg.data
            label = label[label != getattr(decode_head, 'ignore_index', 255)]
        if isinstance(label, Tensor):
            yield label.flatten()


def _last(head: nn.Module | None) -> nn.Module | None:
    """The last head of a cascade; another head as it is."""
    return head[-1] if isinstance(head, nn.ModuleList) else head
