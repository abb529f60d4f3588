"""Which records of a forward pass a distiller reads."""

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
