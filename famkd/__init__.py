"""Knowledge distillation in the frequency domain, for OpenMMLab's config world.

Importing famkd imports nothing else. From then on MMRazor can be imported with today's
mmcv and PyTorch, which it refuses: see :mod:`famkd.compat`.
"""

import sys

__version__ = '0.2.0'


class AdaptingFinder:
    """Has :mod:`famkd.compat` adapt modules when they are imported, by whomever."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Find a module that is adapted; None, so that Python looks on, for others."""
        if name.partition('.')[0] in ('mmrazor', 'mmpretrain', 'mmdet', 'mmseg'):
            from famkd.compat import find_adapted

            return find_adapted(name, path)


sys.meta_path.insert(0, AdaptingFinder)
