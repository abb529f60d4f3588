"""Plain PyTorch layers: they need torch alone."""

from .dynamic_frequency_attention import DynamicFrequencyAttention
from .frequency_attention import FrequencyAttention
from .high_pass import high_pass_mask
from .local_attention import LocalAttention

__all__ = [
    'DynamicFrequencyAttention',
    'FrequencyAttention',
    'LocalAttention',
    'high_pass_mask',
]
