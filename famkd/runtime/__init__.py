"""The runtime: what makes any training of MMEngine safe, exact and crash-proof.

It knows nothing of distillation. :func:`install` is called once by a program,
:func:`switch_on` for each config; README.md here tells more.
"""

from .entry import install, switch_on

__all__ = ['install', 'switch_on']
