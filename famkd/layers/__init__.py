"""Plain PyTorch layers: they need torch alone."""

from .activation_map import activation_map, pool_to_smaller
from .channel_relation import ChannelRelation
from .dct import dct2, dct_matrix
from .dynamic_frequency_attention import DynamicFrequencyAttention
from .frequency_attention import FrequencyAttention
from .frequency_distance import frequency_distance
from .frequency_masks import frequency_masks, mask_overlap, prompted_map
from .haar import haar_dwt, haar_idwt
from .high_pass import high_pass_mask
from .local_attention import LocalAttention
from .resize_like import resize_like
from .structural_similarity import activation_ssim, ssim

__all__ = [
    'ChannelRelation',
    'DynamicFrequencyAttention',
    'FrequencyAttention',
    'LocalAttention',
    'activation_map',
    'activation_ssim',
    'dct2',
    'dct_matrix',
    'frequency_distance',
    'frequency_masks',
    'haar_dwt',
    'haar_idwt',
    'high_pass_mask',
    'mask_overlap',
    'pool_to_smaller',
    'prompted_map',
    'resize_like',
    'ssim',
]
