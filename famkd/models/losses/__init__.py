from .hcl_loss import HCLLoss
from .stage_mse_loss import StageMSELoss

__all__ = ['HCLLoss', 'StageMSELoss']
