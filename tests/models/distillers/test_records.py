"""Losses that get records of different shapes."""

from types import SimpleNamespace

import pytest
import torch

from famkd.models.distillers.records import check_record_shapes

LOSSES = {
    'ChannelWiseDivergence': ('preds_S', 'preds_T'),
    'KLDivergence': ('preds_S', 'preds_T'),
    'mmdet.SmoothL1Loss': ('pred', 'target'),
}


@pytest.fixture
def losses(distillation, build):
    """Function (loss, the teacher's module): losses of a batch."""

    def losses(loss, source):
        recorders = (
            dict(record=dict(type='ModuleOutputs', source=name))
            for name in ('backbone.layer2', source)
        )
        mapping = {
            key: dict(from_student=key == LOSSES[loss][0], recorder='record')
            for key in LOSSES[loss]
        }
        config = distillation(
            student_recorders=next(recorders),
            teacher_recorders=next(recorders),
            distill_losses=dict(loss_record=dict(type=loss)),
            loss_forward_mappings=dict(loss_record=mapping),
        )
        model = build(dict(config, calculate_student_loss=False))
        return model(torch.rand(2, 3, 16, 16), mode='loss')

    return losses


@pytest.mark.parametrize('loss', LOSSES)
def test_records_of_other_shapes(loss, losses):
    if loss.startswith('mmdet.'):
        pytest.importorskip('mmdet')
    ours, theirs = LOSSES[loss]
    with pytest.raises(ValueError) as error:
        losses(loss, 'backbone.layer3')
    assert str(error.value) == (
        f"distill_losses.loss_record compares {{'{ours}': (2, 16, 8, 8), "
        f"'{theirs}': (2, 48, 4, 4)}}; give student and teacher the same classes, "
        'strides and anchors, or leave the loss out'
    )


def test_labels_are_not_compared():
    records = dict(s=torch.zeros(2, 5), t=torch.zeros(2, 5), labels=torch.zeros(2))
    mapping = {key: dict(name=key) for key in records}
    check_record_shapes(
        SimpleNamespace(
            loss_forward_mappings=dict(loss_dkd=mapping),
            get_record=lambda name: records[name],
        )
    )
