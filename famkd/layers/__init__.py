"""Plain PyTorch layers: they need torch alone."""

from .frequency_attention import FrequencyAttention
from .high_pass import high_pass_mask
from .local_attention import LocalAttention

__all__ = ['FrequencyAttention', 'LocalAttention', 'high_pass_mask']
