from .feature_distill import FeatureDistill
from .prompt_tuning import PromptTuning

__all__ = ['FeatureDistill', 'PromptTuning']
