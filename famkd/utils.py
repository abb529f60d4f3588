"""The function that ``mmengine.hub`` calls in the package of a ``famkd::`` config."""


def register_all_modules(init_default_scope: bool = True) -> None:
    """Register every famkd component.

    Args:
        init_default_scope: Part of MMEngine's interface, not used: famkd has no
            default scope of its own. Defaults to True.
    """
    import famkd.datasets
    import famkd.engine
    import famkd.models  # noqa: F401
