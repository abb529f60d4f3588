"""Plain PyTorch layers: they need torch alone."""

from .channel_relation import ChannelRelation
from .dynamic_frequency_attention import DynamicFrequencyAttention
from .frequency_attention import FrequencyAttention
from .frequency_distance import frequency_distance
from .frequency_masks import frequency_masks, mask_overlap, prompted_map
from .haar import haar_dwt, haar_idwt
from .high_pass import high_pass_mask
from .local_attention import LocalAttention

__all__ = [
    'ChannelRelation',
    'DynamicFrequencyAttention',
    'FrequencyAttention',
    'LocalAttention',
    'frequency_distance',
    'frequency_masks',
    'haar_dwt',
    'haar_idwt',
    'high_pass_mask',
    'mask_overlap',
    'prompted_map',
]
