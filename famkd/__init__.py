"""Knowledge distillation in the frequency domain, for OpenMMLab's config world.

Importing famkd imports nothing else. From then on MMRazor can be imported with today's
mmcv and PyTorch, which it refuses: see :mod:`famkd.compat`.
"""

import sys

__version__ = '0.1.0'


class MMRazorFinder:
    """Has :mod:`famkd.compat` adapt MMRazor when it is imported, by whomever."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Find a module of MMRazor; None, so that Python looks on, for any other."""
        if name.partition('.')[0] == 'mmrazor':
            from famkd.compat import find_adapted

            return find_adapted(name, path)


sys.meta_path.insert(0, MMRazorFinder)
