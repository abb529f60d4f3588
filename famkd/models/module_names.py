"""Checking that a name in a config is that of a module."""

from torch import nn

from famkd.names import near_names


def check_module_name(name: str, network: nn.Module, role: str, key: str) -> None:
    """Checks that a network has a module of this name.

    Args:
        name: Dotted name of the module.
        network: Network that shall have it.
        role: What the network is, ``'student'`` or ``'teacher'``.
        key: Key of the config that names it.

    Raises:
        ValueError: If there is no such module; says which names are near.
    """
    names = [other for other, _ in network.named_modules() if other]
    if name not in names:
        near = near_names(str(name), names, count=5) or names[:5]
        raise ValueError(
            f'{key}: {name!r} is no module of the {role} '
            f'({type(network).__name__}); near names: {", ".join(near)}'
        )
