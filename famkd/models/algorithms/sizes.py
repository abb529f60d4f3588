"""How large the networks of a distillation are."""

import logging

from mmengine.logging import print_log
from torch import nn


def log_sizes(student: nn.Module, distiller: nn.Module, teacher: nn.Module) -> None:
    """Logs the numbers of parameters, and what will be in a checkpoint.

    A warning, if the distiller has more than four times the student's parameters.

    Args:
        student: The student.
        distiller: What is trained between the networks.
        teacher: The teacher.
    """
    parts = dict(student=student, distiller=distiller, teacher=teacher)
    counts = {
        name: sum(parameter.numel() for parameter in part.parameters())
        for name, part in parts.items()
    }
    trained = counts['student'] + counts['distiller']
    large = counts['distiller'] > 4 * counts['student']
    print_log(
        'Parameters: '
        + ', '.join(f'{name} {n / 1e6:.2f} M' for name, n in counts.items())
        + ' (not in checkpoints). A checkpoint holds '
        f'{trained * 4 / 1e6:.0f} MB of weights, and as much again for every '
        'state of the optimizer'
        + (
            '. The distiller is much larger than the student: filters of a low rank '
            '(distiller.head.rank=64), fewer channels (mid_channels), fewer stages '
            'or DynamicFAMHead make it smaller'
            if large
            else ''
        ),
        'current',
        logging.WARNING if large else logging.INFO,
    )
