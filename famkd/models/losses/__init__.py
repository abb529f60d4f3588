from .attention_transfer_loss import AttentionTransferLoss
from .band_split_loss import BandSplitLoss
from .dct_attention_loss import DCTAttentionLoss
from .fourier_kd_loss import FourierKDLoss
from .hcl_loss import HCLLoss
from .per_sample_loss import PerSampleLoss
from .pixel_wise_divergence import PixelWiseDivergence
from .pkt_loss import PKTLoss
from .spectral_kd_loss import SpectralKDLoss
from .stage_mse_loss import StageMSELoss
from .standardized_kl_divergence import StandardizedKLDivergence

__all__ = [
    'AttentionTransferLoss',
    'BandSplitLoss',
    'DCTAttentionLoss',
    'FourierKDLoss',
    'HCLLoss',
    'PKTLoss',
    'PerSampleLoss',
    'PixelWiseDivergence',
    'SpectralKDLoss',
    'StageMSELoss',
    'StandardizedKLDivergence',
]
