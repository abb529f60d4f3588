"""Makes MMRazor's distillation stack importable on today's versions.

MMRazor 1.0.0 is MMRazor's last release, and stops at two places:

1. ``mmrazor/__init__.py`` refuses every mmcv above 2.1;
2. ``mmrazor.structures.quantization``, which is imported with everything else,
   uses internals of ``torch.ao`` that PyTorch 2 no longer has.

``import_mmrazor()`` imports ``mmrazor.models`` and ``mmrazor.engine``. Where the plain
import works, nothing is touched. Otherwise the obstacle is out of the way
*while MMRazor is imported*, and everything is put back: mmcv keeps its version and
no stand-in stays in ``sys.modules``. Of MMRazor, only quantization then does not
work, and says so when it is used.

``python -m famkd.compat`` prints the versions found and what was adapted.
"""

import importlib
import platform
import sys
from contextlib import contextmanager, nullcontext
from functools import cache
from importlib import metadata, util
from types import ModuleType

from packaging.version import Version

from famkd import __version__

# module: the distributions that provide it, the oldest version that can work
REQUIRED = {
    'torch': (('torch',), '2.0.0'),
    'mmengine': (('onedl-mmengine', 'mmengine'), '0.8.3'),
    'mmcv': (('onedl-mmcv', 'mmcv', 'mmcv-lite'), '2.0.0'),
    'mmpretrain': (('onedl-mmpretrain', 'mmpretrain'), '1.0.0'),
    'mmrazor': (('mmrazor',), '1.0.0'),
}
OPTIONAL = {
    'torchvision': ('torchvision',),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation'),
}
NEWEST_MMCV_FOR_MMRAZOR = '2.1.0'
QUANTIZATION = 'mmrazor.structures.quantization'


def find_version(distributions):
    """Version of the first of these distributions that is installed, or None."""
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def check_stack():
    """Checks that everything MMRazor needs is there and new enough.

    Raises:
        ImportError: If a package is missing or too old; names it, the version
            found, and what to install.
    """
    for module, (distributions, oldest) in REQUIRED.items():
        found = find_version(distributions)
        if util.find_spec(module) is None:
            problem = 'is not installed'
        elif found and Version(found) < Version(oldest):
            problem = f'is version {found}'
        else:
            continue
        raise ImportError(
            f'famkd needs {module} >= {oldest}, but {module} {problem}. Install '
            f"it: pip install '{distributions[0]}>={oldest}' (README, Manual set-up)"
        )


@cache
def import_mmrazor():
    """Imports ``mmrazor.models`` and ``mmrazor.engine``, adapted if need be.

    Returns:
        tuple[str]: What had to be adapted, a sentence each; empty if nothing.

    Raises:
        ImportError: If a package is missing or too old (see :func:`check_stack`).
    """
    check_stack()
    adapted = []

    try:
        _import_or_undo('mmrazor')
    except AssertionError:  # how MMRazor refuses a version of mmcv
        with _mmcv_version(NEWEST_MMCV_FOR_MMRAZOR) as version:
            try:
                _import_or_undo('mmrazor')
            except AssertionError as error:  # not mmcv, then: the message says it
                raise ImportError(str(error)) from None
        adapted.append(
            f'MMRazor accepts mmcv up to {NEWEST_MMCV_FOR_MMRAZOR}: {version} was '
            f'shown to it as {NEWEST_MMCV_FOR_MMRAZOR} while it was imported.'
        )

    stand_in = nullcontext()
    try:
        _import_or_undo(QUANTIZATION)
    except Exception:
        stand_in = _stand_in(QUANTIZATION)
        adapted.append(
            f'{QUANTIZATION} cannot be imported with this PyTorch: left out.'
        )
    with stand_in:
        for name in ('mmrazor.structures', 'mmrazor.models', 'mmrazor.engine'):
            importlib.import_module(name)
    return tuple(adapted)


class _Unavailable:
    """In place of MMRazor's quantization classes: raises when it is used."""

    def _fail(self, *args, **kwargs):
        raise ImportError(
            "MMRazor's quantization needs an older PyTorch: see famkd.compat"
        )

    __call__ = __getitem__ = _fail


def _import_or_undo(name):
    """Imports a module of MMRazor; a failure leaves none of its modules behind."""
    before = set(sys.modules)
    try:
        importlib.import_module(name)
    except Exception:
        for new in set(sys.modules) - before:
            if new.partition('.')[0] == 'mmrazor':
                del sys.modules[new]
        raise


@contextmanager
def _mmcv_version(version):
    import mmcv

    real, mmcv.__version__ = mmcv.__version__, version
    try:
        yield real
    finally:
        mmcv.__version__ = real


@contextmanager
def _stand_in(name):
    module = ModuleType(name)
    module.__all__ = []
    module.QConfigHandler = module.BackendConfigs = _Unavailable()
    sys.modules[name] = module
    try:
        yield
    finally:
        del sys.modules[name]


def main():
    """Prints the versions found, then what was adapted; 1 if the stack fails."""
    print(f'{"famkd":12} {__version__}')
    print(f'{"python":12} {platform.python_version()}')
    wanted = {module: names for module, (names, _) in REQUIRED.items()}
    for module, names in {**wanted, **OPTIONAL}.items():
        print(f'{module:12} {find_version(names) or "not installed"}')
    try:
        adapted = import_mmrazor()
    except ImportError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    for sentence in adapted or ['Nothing had to be adapted.']:
        print(f'- {sentence}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
