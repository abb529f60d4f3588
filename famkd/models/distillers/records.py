"""The records of a forward pass that a distiller reads."""

from mmrazor.models.distillers import ConfigurableDistiller


def needed_records(
    distiller: ConfigurableDistiller, from_student: bool
) -> dict[str, int]:
    """How often each recorder has to record for MMRazor's ``loss_forward_mappings``.

    Args:
        distiller: The distiller.
        from_student: Whether the student's recorders are meant.

    Returns:
        dict: Name of a recorder -> number of its records.
    """
    counts: dict[str, int] = {}
    for mapping in distiller.loss_forward_mappings.values():
        for record in mapping.values():
            if 'recorder' in record and record['from_student'] == from_student:
                count = record.get('record_idx', 0) + 1
                name = record['recorder']
                counts[name] = max(counts.get(name, 0), count)
    return counts


def check_record_shapes(distiller: ConfigurableDistiller) -> None:
    """Says which loss of ``loss_forward_mappings`` compares records that are not alike.

    For when a loss has failed: some may take records of different shapes. Labels (N,)
    beside class scores are none that are compared.

    Args:
        distiller: The distiller, after a forward pass.

    Raises:
        ValueError: If the records of a loss have different shapes; names all of them.
    """
    for name, mapping in distiller.loss_forward_mappings.items():
        records = {key: distiller.get_record(**x) for key, x in mapping.items()}
        shapes = {key: tuple(getattr(x, 'shape', ())) for key, x in records.items()}
        if len({shape for shape in shapes.values() if len(shape) > 1}) > 1:
            raise ValueError(
                f'distill_losses.{name} compares {shapes}; give student and teacher '
                'the same classes, strides and anchors, or leave the loss out'
            )
