"""Whether the teacher's features are numbers at all."""

from collections.abc import Iterator

import torch
from mmrazor.models.task_modules import RecorderManager
from torch import Tensor

FLOAT16 = (
    'numbers of float16 end at 65504; set model.teacher_options.dtype=bfloat16 or '
    'float32'
)


@torch.no_grad()
def check_finite_features(recorders: RecorderManager) -> None:
    """Checks what the recorders of a teacher hold.

    A NaN in them would look like a diverging student, and no learning rate would help.

    Args:
        recorders: The recorders, after a forward pass.

    Raises:
        FloatingPointError: If a feature has a NaN or an infinity; names the module,
            the precision and what to do.
    """
    for recorder in recorders.recorders.values():
        for feature in _tensors(recorder.data_buffer):
            finite = feature.isfinite()
            if finite.all():
                continue
            precision = str(feature.dtype).removeprefix('torch.')
            hint = (
                FLOAT16
                if feature.dtype == torch.float16
                else 'are its images finite, and normalised as it expects them?'
            )
            raise FloatingPointError(
                f"the teacher's {recorder.source} gives {(~finite).sum().item()} of "
                f'{feature.numel()} values that are not finite, in {precision}: {hint}'
            )


@torch.no_grad()
def float16_is_finite(recorders: RecorderManager) -> Tensor:
    """Whether features in float16 are finite; on their device, which nobody waits for.

    Args:
        recorders: The recorders, after a forward pass.
    """
    found = [
        feature.isfinite().all()
        for recorder in recorders.recorders.values()
        for feature in _tensors(recorder.data_buffer)
        if feature.dtype == torch.float16
    ]
    return torch.stack(found).all() if found else torch.tensor(True)


def _tensors(records: object) -> Iterator[Tensor]:
    """The tensors of floats in a record, which may hold several."""
    if isinstance(records, Tensor):
        if records.is_floating_point():
            yield records
    elif isinstance(records, (list, tuple)):
        for record in records:
            yield from _tensors(record)
