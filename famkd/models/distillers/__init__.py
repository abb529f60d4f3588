from .fourier_kd_distiller import FourierKDDistiller
from .freekd_distiller import FreeKDDistiller
from .review_distiller import ReviewDistiller
from .stage_distiller import StageDistiller

__all__ = [
    'FourierKDDistiller',
    'FreeKDDistiller',
    'ReviewDistiller',
    'StageDistiller',
]
