"""The images of the student, normalised as the teacher expects them."""

import logging

from mmengine.logging import print_log
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn


class Renormalize(nn.Module):
    r"""Images normalised for one network, normalised for another.

    .. math:: x' = (\sigma \, x + \mu - \mu') / \sigma'

    in the channel order of the other network. Padding is part of the image: it gets
    the colour that it has for the first network.

    Args:
        source: Preprocessor that the images went through.
        target: Preprocessor whose normalisation they shall have.
    """

    def __init__(
        self, source: BaseDataPreprocessor, target: BaseDataPreprocessor
    ) -> None:
        super().__init__()
        self.reverse = _reverses_channels(source) != _reverses_channels(target)
        mean, std = source.mean, source.std
        if self.reverse:
            mean, std = mean.flip(0), std.flip(0)
        self.register_buffer('scale', std / target.std, persistent=False)
        self.register_buffer(
            'shift', (mean - target.mean) / target.std, persistent=False
        )

    def forward(self, images: Tensor) -> Tensor:
        if self.reverse:
            images = images.flip(1)
        return self.scale * images + self.shift


def teacher_normalization(
    given: BaseDataPreprocessor, teacher: BaseDataPreprocessor, own: bool = False
) -> nn.Module:
    """A module that turns the student's images into those for the teacher.

    A preprocessor that normalises nothing has no wishes: a pipeline may do it instead.
    If that is so with one of the two only, it is a warning.

    Args:
        given: Preprocessor of the images that the student gets.
        teacher: The teacher's own preprocessor.
        own: Whether the two may differ, and the teacher's images are then
            normalised as the teacher's config says. Defaults to False.

    Returns:
        nn.Module: The identity or a :class:`Renormalize`.

    Raises:
        ValueError: If mean, std, channel order or padding differ and ``own`` is
            False.
    """
    ours, theirs = _settings(given), _settings(teacher)
    if bool(ours) != bool(theirs):
        one, other = ('student', 'teacher') if ours else ('teacher', 'student')
        print_log(
            f'data_preprocessor: that of the {one} normalises the images, that of the '
            f'{other} has no mean and std. The teacher gets the images of the student '
            'as they are: unless the pipeline normalises them, give both the same',
            'current',
            logging.WARNING,
        )
    if not ours or not theirs or ours == theirs:
        return nn.Identity()
    if not own:
        differences = '; '.join(
            f'{name} {ours[name]} (student), {theirs[name]} (teacher)'
            for name in ours
            if ours[name] != theirs[name]
        )
        raise ValueError(
            f'data_preprocessor: student and teacher differ: {differences}. Choose '
            'networks that take the same images, or set '
            'model.teacher_options.own_normalization=True: the teacher then gets the '
            'same batch, normalised as its own config says'
        )
    return Renormalize(given, teacher)


def _settings(preprocessor: BaseDataPreprocessor) -> dict:
    """The settings that have to agree; empty where nothing is normalised."""
    if getattr(preprocessor, 'mean', None) is None:
        return {}
    return {
        'mean': preprocessor.mean.flatten().tolist(),
        'std': preprocessor.std.flatten().tolist(),
        'reverse channels': _reverses_channels(preprocessor),
        'pad_size_divisor': preprocessor.pad_size_divisor,
    }


def _reverses_channels(preprocessor: BaseDataPreprocessor) -> bool:
    # MMEngine's preprocessor and its heirs, and that of mmpretrain.
    return getattr(
        preprocessor, '_channel_conversion', getattr(preprocessor, 'to_rgb', False)
    )
