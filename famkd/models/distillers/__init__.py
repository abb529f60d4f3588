from .review_distiller import ReviewDistiller
from .stage_distiller import StageDistiller

__all__ = ['ReviewDistiller', 'StageDistiller']
