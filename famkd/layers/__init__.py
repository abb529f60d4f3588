"""Plain PyTorch layers: they need torch alone."""

from .activation_map import activation_map, pool_to_smaller
from .dct import dct2, dct_matrix
from .dynamic_frequency_attention import DynamicFrequencyAttention
from .frequency_attention import FrequencyAttention
from .high_pass import high_pass_mask
from .local_attention import LocalAttention

__all__ = [
    'DynamicFrequencyAttention',
    'FrequencyAttention',
    'LocalAttention',
    'activation_map',
    'dct2',
    'dct_matrix',
    'high_pass_mask',
    'pool_to_smaller',
]
