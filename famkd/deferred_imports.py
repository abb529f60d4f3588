"""Packages that are imported by a library, but loaded only when it uses them.

MMRazor imports whole packages at its start for a function or two of its searches and
prunings: mmdet alone takes seconds. :func:`deferred` has such imports give stand-ins:

- a stand-in of a class or function loads the real one when it is called, or when an
  attribute of it is asked for;
- ``isinstance(x, stand_in)`` loads nothing: before the real module is there, nothing is
  an instance of a class of it.

A package that is not installed is not found, as ever.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class StandIn(type):
    """The metaclass of a stand-in for a class or function of a module."""

    def __new__(cls, module: str, name: str) -> 'StandIn':
        return super().__new__(cls, name, (), {'__module__': module})

    def __init__(cls, module: str, name: str) -> None:
        super().__init__(name, (), {})

    def load(cls) -> Any:
        """The real class or function."""
        return getattr(importlib.import_module(cls.__module__), cls.__name__)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.load()(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith('__'):  # what Python itself may look for
            raise AttributeError(name)
        return getattr(cls.load(), name)

    def __instancecheck__(cls, instance: object) -> bool:
        module = sys.modules.get(cls.__module__)
        if module is None or isinstance(module, StandInModule):
            return False
        return isinstance(instance, getattr(module, cls.__name__, ()))


class StandInModule(ModuleType):
    """A module whose every public attribute is a stand-in."""

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith('__'):
            raise AttributeError(name)
        return StandIn(self.__name__, name)


class _Finder:
    """Finds stand-ins of modules, and loads them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.made: list[ModuleType] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        """Find a stand-in for a deferred module or a part of it; None for others."""
        parent, _, _ = name.rpartition('.')
        is_part = any(module.__name__ == parent for module in self.made)
        is_there = name in self.names and PathFinder.find_spec(name, path) is not None
        return ModuleSpec(name, self, is_package=True) if is_part or is_there else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make an empty module."""
        self.made.append(StandInModule(spec.name))
        return self.made[-1]

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: it stays empty."""


@contextmanager
def deferred(names: Sequence[str]) -> Iterator[None]:
    """Give stand-ins for what is imported from some modules, while the context lasts.

    Modules that are loaded already stay as they are.

    Args:
        names: The modules, such as ``'mmdet'``; what is below them is meant too.
    """
    finder = _Finder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for module in finder.made:
            del sys.modules[module.__name__]
            parent, _, name = module.__name__.rpartition('.')
            # the import has put it there
            vars(sys.modules.get(parent, module)).pop(name, None)
