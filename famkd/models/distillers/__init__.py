from .review_distiller import ReviewDistiller

__all__ = ['ReviewDistiller']
