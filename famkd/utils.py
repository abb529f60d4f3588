"""What ``mmengine.hub`` calls in the package of a ``famkd::`` config."""


def register_all_modules(init_default_scope=True):
    """Registers every famkd component.

    Args:
        init_default_scope (bool): Part of MMEngine's interface, not used: famkd
            has no default scope of its own.
    """
    import famkd.datasets
    import famkd.engine
    import famkd.models  # noqa: F401
