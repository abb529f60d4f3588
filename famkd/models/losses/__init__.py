from .attention_transfer_loss import AttentionTransferLoss
from .dct_attention_loss import DCTAttentionLoss
from .hcl_loss import HCLLoss
from .per_sample_loss import PerSampleLoss
from .pkt_loss import PKTLoss
from .stage_mse_loss import StageMSELoss

__all__ = [
    'AttentionTransferLoss',
    'DCTAttentionLoss',
    'HCLLoss',
    'PKTLoss',
    'PerSampleLoss',
    'StageMSELoss',
]
