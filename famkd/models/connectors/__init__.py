from .ab_fusion import ABFusion
from .conv_head import ConvHead
from .cross_attention_fusion import CrossAttentionFusion
from .fam_connector import DynamicFAMConnector, FAMConnector
from .local_attention_connector import LocalAttentionConnector
from .no_fusion import NoFusion
from .review_fusion import ReviewFusion

__all__ = [
    'ABFusion',
    'ConvHead',
    'CrossAttentionFusion',
    'DynamicFAMConnector',
    'FAMConnector',
    'LocalAttentionConnector',
    'NoFusion',
    'ReviewFusion',
]
