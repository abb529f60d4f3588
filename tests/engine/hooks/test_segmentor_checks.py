"""Segmentors that would stop later are named before the first batch."""

import pytest
from torch import nn

pytest.importorskip('mmseg')

from mmseg.models import FCNHead, SegDataPreProcessor, STDCHead  # noqa: E402

from famkd.engine.hooks.segmentor_checks import check_segmentor  # noqa: E402

WINDOWS = dict(mode='slide', crop_size=(32, 32), stride=(32, 16))


def head(kind=FCNHead, classes=5, **options):
    return kind(in_channels=4, channels=4, num_convs=0, num_classes=classes, **options)


def check(
    decode=5,
    aux=5,
    ignored=255,
    classes=5,
    test_cfg=WINDOWS,
    is_validated=True,
    **images,
):
    network = nn.Module()
    network.decode_head = head(classes=decode)
    edges = head(STDCHead, classes=2, boundary_threshold=0.1)
    network.auxiliary_head = nn.ModuleList([head(classes=aux), edges])
    network.auxiliary_head[0].ignore_index = ignored
    network.test_cfg = test_cfg
    images = SegDataPreProcessor(**{'size': (32, 32), **images})
    check_segmentor(network, images, classes, is_validated)


def test_what_fits_is_let_alone():
    check()
    check(classes=None, test_cfg=dict(mode='whole'))
    check(decode=19, aux=1, classes=2, size=None, size_divisor=32)
    check(is_validated=False, test_cfg=None, ignored=None)
    check_segmentor(nn.Module(), nn.Module(), 5, True)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(decode=4), r'^decode_head\.num_classes=4, .* have 5 classes'),
        (dict(aux=2), r'^auxiliary_head\.0\.num_classes=2, but'),
        (
            dict(ignored=0),
            r'index=255, auxiliary_head\.0\.ignore_index=0: they learn',
        ),
        (dict(seg_pad_val=0), r'data_preprocessor\.seg_pad_val=0 is the number of a'),
        (dict(size=None), 'size=None and size_divisor=None: give one'),
        (dict(size_divisor=32), r'size=\(32, 32\) and size_divisor=32: give one'),
        (dict(test_cfg=None), 'test_cfg=None of the student must be'),
        (dict(test_cfg=dict(mode='slides')), "'slides'.* must be dict"),
        (dict(test_cfg=dict(mode='slide')), 'crop_size=None and stride=None of'),
        (dict(test_cfg={**WINDOWS, 'stride': 16}), r'stride=16 .*as \(H, W\)'),
        (
            dict(test_cfg={**WINDOWS, 'stride': (32, 40)}),
            r'stride=\(32, 40\) .* no stride that is larger',
        ),
    ],
)
def test_what_does_not_fit_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        check(**changes)
