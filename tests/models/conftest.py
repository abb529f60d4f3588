import famkd.models  # noqa: F401 (makes MMRazor importable for the tests)
