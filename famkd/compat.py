"""Makes MMRazor importable on today's versions of mmcv and PyTorch.

MMRazor 1.0.0 is MMRazor's last release, and two of its modules stop the import:

1. ``mmrazor`` itself refuses every mmcv above 2.1;
2. ``mmrazor.structures.quantization``, which every other part imports, uses internals
   of ``torch.ao`` that PyTorch 2 no longer has.

``import famkd`` registers a finder (see ``famkd/__init__.py``), which has
:func:`find_adapted` load these two, whoever imports them. A module that loads as it is
stays as it is. Otherwise mmcv shows an older version while the first one is loaded,
and the second one is left empty: of MMRazor, only quantization then does not work,
and says so when it is used.

mmdet and mmseg say so where mmcv lacks the operators that they need. That mmcv lacks
them, and that OneDL's data sets are not installed, is not said to everybody else.

Two more things make a start quick. What MMRazor imports for its searches and prunings
only, is loaded when they use it (see :mod:`famkd.deferred_imports`). And mmpretrain's
one part of mmdet is loaded after mmdet, if that is imported at all.

``python -m famkd.compat`` prints the versions found and what was adapted.
``python -m famkd.compat SCRIPT [ARGUMENTS]`` runs a script that imports MMRazor before
a config could name famkd, such as MMRazor's own ``tools/train.py``.
"""

import importlib
import io
import platform
import runpy
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import cache, partial
from importlib import metadata, util
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from packaging.version import Version

from famkd import __version__
from famkd.deferred_imports import deferred

# module: the distributions that provide it, the maintained one first
OPENMMLAB = {
    'mmengine': ('onedl-mmengine', 'mmengine'),
    'mmcv': ('onedl-mmcv', 'mmcv', 'mmcv-lite'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain'),
    'mmrazor': ('mmrazor',),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation'),
}
DISTRIBUTIONS = {'torch': ('torch',), 'torchvision': ('torchvision',), **OPENMMLAB}
# module: the oldest version that works
REQUIRED = {
    'torch': '2.4',
    'mmengine': '0.10.12',
    'mmcv': '2.3.6',
    'mmpretrain': '1.3.6',
    'mmrazor': '1.0.0',
}
NEWEST_MMCV_FOR_MMRAZOR = '2.1.0'
QUANTIZATION = 'mmrazor.structures.quantization'
# What MMRazor imports, but distillation does not need. (Not matplotlib or scipy as a
# whole: other packages that MMRazor imports use them at once.)
DEFERRED = ('mmdet', 'mmseg', 'matplotlib.pyplot', 'scipy.stats', 'sklearn.tree')
# mmpretrain registers a layer in mmdet's registry here, if there is an mmdet.
PART_OF_MMDET = 'mmpretrain.models.utils.res_layer_extra_norm'

# mmcv without operators says so in every process; those who need them get an error.
warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')

# what was adapted so far, a sentence each
ADAPTED = []
# what is run when mmdet has been imported
_waiting: list[Callable[[], None]] = []


def find_version(module: str) -> str | None:
    """Version of the distribution that provides a module, or None."""
    for name in DISTRIBUTIONS[module]:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def check_stack() -> None:
    """Check that everything that famkd needs is there and new enough.

    Raises:
        ImportError: If a package is missing or too old; names it, the version
            found, and what to install.
    """
    for module, oldest in REQUIRED.items():
        found = find_version(module)
        if util.find_spec(module) is None:
            problem = 'is not installed'
        elif found and Version(found) < Version(oldest):
            problem = f'is version {found}'
        else:
            continue
        raise ImportError(
            f'famkd needs {module} >= {oldest}, but {module} {problem}. Install it: '
            f"pip install '{DISTRIBUTIONS[module][0]}>={oldest}' "
            '(docs/install.md)'
        )


@cache
def import_mmrazor() -> tuple[str, ...]:
    """Check the installed versions and import ``mmrazor.models`` and ``.engine``.

    Returns:
        tuple[str, ...]: What had to be adapted, a sentence each; empty if nothing.

    Raises:
        ImportError: If a package is missing or too old (see :func:`check_stack`).
    """
    check_stack()
    import mmengine.runner  # noqa: F401 (with all that it imports, before MMRazor)

    names = DEFERRED
    if {'mmdet', 'mmseg'} & sys.modules.keys():
        # What is still to be loaded of the one may inherit from a class of the other.
        names = [name for name in DEFERRED if not name.startswith('mm')]
    with deferred(names):
        for name in ('mmrazor.structures', 'mmrazor.models', 'mmrazor.engine'):
            importlib.import_module(name)
    return tuple(ADAPTED)


def find_adapted(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Find one of the modules that need help, so that loading it gives the help.

    Args:
        name: Full name of the module.
        path: Where its parent package looks for modules.

    Returns:
        ModuleSpec | None: The module as every other finder sees it, but for how it is
        run; None for a module that needs no help or is not installed.
    """
    run_adapted = {
        'mmrazor': _run_with_old_mmcv,
        QUANTIZATION: _run_or_leave_empty,
        PART_OF_MMDET: _run_after_mmdet,
        'mmdet.models': _run_with_operators,
        'mmseg.models': _run_with_operators,
        'mmpretrain.datasets': _run_without_prints,
        'mmdet.datasets': _run_without_prints,
        'mmseg.datasets': _run_without_prints,
    }
    if name not in run_adapted:
        return None
    others = [
        finder
        for finder in sys.meta_path
        if getattr(finder, '__module__', None) != 'famkd'
    ]
    specs = (finder.find_spec(name, path) for finder in others)
    spec = next(filter(None, specs), None)
    if spec is not None and spec.loader is not None:
        run = spec.loader.exec_module
        spec.loader.exec_module = partial(run_adapted[name], run)
    return spec


def _run_with_old_mmcv(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    try:
        run(module)
        return
    except AssertionError:  # how MMRazor refuses a version of mmcv
        import mmcv

    version, mmcv.__version__ = mmcv.__version__, NEWEST_MMCV_FOR_MMRAZOR
    try:
        run(module)
    except AssertionError as error:  # not mmcv, then: the message says it
        raise ImportError(str(error)) from None
    finally:
        mmcv.__version__ = version
    ADAPTED.append(
        f'MMRazor accepts mmcv up to {NEWEST_MMCV_FOR_MMRAZOR}: {version} was shown '
        f'to it as {NEWEST_MMCV_FOR_MMRAZOR} while it was imported.'
    )


def _run_or_leave_empty(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    try:
        run(module)
    except Exception:
        module.__all__ = []
        # the two names that other modules of MMRazor take from it
        module.QConfigHandler = module.BackendConfigs = _Unavailable()
        ADAPTED.append(
            f'{QUANTIZATION} cannot be imported with this PyTorch: left out.'
        )


def _run_after_mmdet(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    if 'mmdet' in sys.modules:
        run(module)
    else:
        module.ResLayerExtraNorm = None  # as where there is no mmdet
        _waiting.append(partial(run, module))


def _run_with_operators(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    package = module.__name__.partition('.')[0]
    try:
        run(module)
    except ModuleNotFoundError as error:
        if error.name != 'mmcv._ext':
            raise
        raise ImportError(
            f'{package} needs the compiled operators of mmcv, but mmcv was installed '
            'without them, as make demo does; add them by make setup'
        ) from None
    while _waiting and package == 'mmdet':
        _waiting.pop()()


def _run_without_prints(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    with redirect_stdout(io.StringIO()):  # "Could not import OneDL", in each of them
        run(module)


class _Unavailable:
    """In place of MMRazor's quantization classes: raises when it is used."""

    def _fail(self, *args: object, **kwargs: object) -> None:
        raise ImportError(
            "MMRazor's quantization needs an older PyTorch: see famkd.compat"
        )

    __call__ = __getitem__ = _fail


def main() -> int:
    """Run the script of the command line; without one, print what is installed.

    Returns:
        int: The exit status: 1 if a package is missing or too old.
    """
    if len(sys.argv) > 1:
        del sys.argv[0]
        sys.path[0] = str(Path(sys.argv[0]).parent)
        runpy.run_path(sys.argv[0], run_name='__main__')
        return 0
    print(f'{"famkd":12} {__version__}')
    print(f'{"python":12} {platform.python_version()}')
    for module in DISTRIBUTIONS:
        print(f'{module:12} {find_version(module) or "not installed"}')
    try:
        adapted = import_mmrazor()
    except ImportError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    for sentence in adapted or ['Nothing had to be adapted.']:
        print(f'- {sentence}')
    return 0


if __name__ == '__main__':
    # not this copy of the module: MMRazor is adapted by the one that famkd imports
    sys.exit(importlib.import_module('famkd.compat').main())
