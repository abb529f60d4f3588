"""Parts of the student that start as those of the teacher."""

from collections.abc import Sequence

from mmengine.logging import print_log
from torch import Tensor, nn

from famkd.models.module_names import check_module_name


def inherited_weights(
    student: nn.Module, teacher: nn.Module, names: Sequence[str]
) -> dict[str, Tensor]:
    """The teacher's weights that fit into the student.

    Args:
        student: Network that inherits.
        teacher: Network to inherit from.
        names: Modules that both have, such as ``'neck'``.

    Returns:
        dict: The entries of the teacher's state dict that lie in these modules and
        that the student has in the same shape.

    Raises:
        ValueError: If a module is missing in one of them, or nothing fits.
    """
    inherited = {}
    for name in names:
        for role, network in (('student', student), ('teacher', teacher)):
            check_module_name(name, network, role, key='inherit')
        wanted = student.get_submodule(name).state_dict(prefix=f'{name}.')
        given = teacher.get_submodule(name).state_dict(prefix=f'{name}.')
        fitting = {
            key: value
            for key, value in given.items()
            if key in wanted and wanted[key].shape == value.shape
        }
        if not fitting:
            raise ValueError(
                f'inherit={name!r}: no weight of the student there has the name and '
                "shape of one of the teacher's; leave it out"
            )
        print_log(
            f'inherit: {len(fitting)} of the {len(wanted)} weights of {name} start as '
            "the teacher's",
            'current',
        )
        inherited.update(fitting)
    return inherited
