"""The names of weights in checkpoints."""

from typing import Any

STUDENT = 'architecture.'  # MMRazor's name of the student inside an algorithm
PARALLEL = 'module.'  # what DataParallel puts before every name


def read_weights(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """State dict of a checkpoint, without the prefix of DataParallel.

    Args:
        checkpoint: What MMEngine writes, or the state dict itself.

    Returns:
        dict: Name of the weight -> tensor.
    """
    weights = checkpoint.get('state_dict', checkpoint)
    return {key.removeprefix(PARALLEL): value for key, value in weights.items()}


def student_weights(weights: dict[str, Any]) -> dict[str, Any]:
    """Weights of the student in the state dict of a distillation.

    Args:
        weights: A state dict, see :func:`read_weights`.

    Returns:
        dict: The student's own names -> tensors, its data preprocessor included;
        empty where the state dict is not of a distillation.
    """
    return {
        key.removeprefix(STUDENT): value
        for key, value in weights.items()
        if key.startswith(STUDENT)
    }
