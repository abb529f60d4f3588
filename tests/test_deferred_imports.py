"""famkd.deferred_imports, on small packages."""

import sys

import pytest

from famkd.deferred_imports import deferred


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that can be imported, and is forgotten afterwards."""
    for folder in ('heavy_package', 'light_package'):
        (tmp_path / folder / 'part').mkdir(parents=True)
        (tmp_path / folder / '__init__.py').write_text('')
        (tmp_path / folder / 'part' / '__init__.py').write_text(
            'class Thing:\n    number = 3\n'
        )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in list(sys.modules):
        if name.partition('.')[0] in ('heavy_package', 'light_package'):
            del sys.modules[name]


def test_nothing_is_loaded_before_it_is_used(package):
    with deferred(['heavy_package']):
        from heavy_package.part import Thing

        assert not isinstance(1, Thing)
    assert not isinstance(1, Thing)
    assert not [name for name in sys.modules if name.startswith('heavy_package')]
    assert Thing.number == 3
    assert type(Thing()).__module__ == 'heavy_package.part'
    import heavy_package.part

    assert isinstance(heavy_package.part.Thing(), Thing)
    assert not isinstance(1, Thing)


def test_part_of_a_package_is_deferred_alone(package):
    with deferred(['light_package.part']):
        import light_package.part as part

        thing = part.Thing
    assert 'light_package' in sys.modules
    assert 'light_package.part' not in sys.modules
    assert not hasattr(sys.modules['light_package'], 'part')
    assert isinstance(thing(), thing)


def test_what_is_loaded_already_stays(package):
    import heavy_package.part

    with deferred(['heavy_package']):
        from heavy_package.part import Thing
    assert Thing is heavy_package.part.Thing


def test_package_that_is_not_there_is_not_found():
    with deferred(['no_such_package']), pytest.raises(ModuleNotFoundError):
        import no_such_package  # noqa: F401


def test_stand_ins_are_gone_after_an_error(package):
    with pytest.raises(ZeroDivisionError), deferred(['heavy_package']):
        import heavy_package  # noqa: F401

        raise ZeroDivisionError
    assert 'heavy_package' not in sys.modules
