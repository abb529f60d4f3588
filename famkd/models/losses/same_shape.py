"""Checks of losses that compare features, or class scores, place by place."""

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


def check_same_scores(preds_S: Tensor, preds_T: Tensor) -> None:
    """Checks that two maps of class scores have the same shape.

    Args:
        preds_S: The student's.
        preds_T: The teacher's.

    Raises:
        ValueError: If they have not; says what the networks must have in common.
    """
    if preds_S.shape != preds_T.shape:
        raise ValueError(
            f'the class scores of the student have shape {tuple(preds_S.shape)}, '
            f"the teacher's {tuple(preds_T.shape)}: pixels are compared one by "
            'one; choose networks with the same stride and classes'
        )
