"""The parts of a recipe that distils one network into another.

What is asked for and cannot be had is a ValueError that begins with the option of
``tools/new_recipe.py``.
"""
