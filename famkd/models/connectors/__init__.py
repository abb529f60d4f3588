"""Fusions, heads and connectors: modules between a student's feature and a loss.

A fusion makes one feature of a student's and the review that came up from the deeper
stage. A head makes a feature of the teacher's shape. A prompt masks a feature, before
any student is there. Every one of them is a connector in the sense of MMRazor.
"""

from .ab_fusion import ABFusion
from .conv_head import ConvHead
from .cross_attention_fusion import CrossAttentionFusion
from .fam_head import DynamicFAMConnector, DynamicFAMHead, FAMConnector, FAMHead
from .frequency_prompt import FrequencyPrompt
from .local_attention_fusion import LocalAttentionConnector, LocalAttentionFusion
from .no_fusion import NoFusion
from .review_fusion import ReviewFusion

__all__ = [
    'ABFusion',
    'ConvHead',
    'CrossAttentionFusion',
    'DynamicFAMConnector',
    'DynamicFAMHead',
    'FAMConnector',
    'FAMHead',
    'FrequencyPrompt',
    'LocalAttentionConnector',
    'LocalAttentionFusion',
    'NoFusion',
    'ReviewFusion',
]
