"""Compiled kernels of the layers. Nothing is compiled at import."""

from .attention import window_attention

__all__ = ['window_attention']
