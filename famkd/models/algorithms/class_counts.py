"""Whether class scores that are compared are of the same classes."""

from mmrazor.models.distillers import ConfigurableDistiller
from mmrazor.models.losses import (
    AngleWiseRKD,
    ChannelWiseDivergence,
    DistanceWiseRKD,
    KLDivergence,
)
from torch import nn

# They compare distances between images, whatever the classes are.
RELATIONAL = AngleWiseRKD, DistanceWiseRKD
# A convolution gives class scores to these; to others it may give any feature.
OF_SCORES = ChannelWiseDivergence, KLDivergence


def check_class_counts(
    distiller: ConfigurableDistiller, student: nn.Module, teacher: nn.Module
) -> None:
    """Checks the losses that compare ``preds_S`` with ``preds_T``.

    These are the arguments of MMRazor's losses on class scores. The numbers of
    classes are those of the recorded modules, where these have any:
    ``out_features`` of a linear layer, ``num_classes`` of a head, ``out_channels`` of
    the convolution that ends a segmentor.

    Args:
        distiller: Distiller with recorders and losses.
        student: The student.
        teacher: The teacher.

    Raises:
        ValueError: If student and teacher have different numbers of classes.
    """
    for name, mapping in distiller.loss_forward_mappings.items():
        records = mapping.get('preds_S', {}), mapping.get('preds_T', {})
        loss = distiller.distill_losses[name]
        if isinstance(loss, RELATIONAL) or any(
            'recorder' not in record or record.get('connector') for record in records
        ):
            continue
        found = []
        for record in records:
            role, network, recorders = (
                ('student', student, distiller.student_recorders)
                if record['from_student']
                else ('teacher', teacher, distiller.teacher_recorders)
            )
            source = recorders.get_recorder(record['recorder']).source
            module = dict(network.named_modules()).get(source)
            count = getattr(
                module, 'out_features', getattr(module, 'num_classes', None)
            )
            if count is None and isinstance(loss, OF_SCORES):
                count = getattr(module, 'out_channels', None)
            found.append((count, f'the {role} has {count} classes ({source})'))
        (ours, student_text), (theirs, teacher_text) = found
        if ours and theirs and ours != theirs:
            raise ValueError(
                f'{name} compares class scores, but {student_text} and {teacher_text}; '
                'give both heads the same num_classes, or leave this loss out'
            )
