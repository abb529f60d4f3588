"""The check of losses that compare two features place by place."""

from torch import Tensor


def check_same_shape(s_feature: Tensor, t_feature: Tensor) -> None:
    """Checks that two features have the same shape.

    Args:
        s_feature: Feature of the student.
        t_feature: Feature of the teacher.

    Raises:
        ValueError: If they have not; says what brings them together.
    """
    ours, theirs = tuple(s_feature.shape), tuple(t_feature.shape)
    if ours == theirs:
        return
    fix = (
        "put a connector between them, such as distiller.connector=dict(type='ConvHead'"
        '), which gives the channels of the teacher'
        if ours[2:] == theirs[2:]
        else 'name stages whose maps have the same height and width'
    )
    raise ValueError(
        f'the feature of the student is {ours}, that of the teacher {theirs}; {fix}'
    )
