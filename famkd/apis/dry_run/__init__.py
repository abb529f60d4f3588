"""A look at a training before it begins: ``train.py --check``."""
