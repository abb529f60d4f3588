"""Data that do not fit the model are named at the first batch."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from torch import nn

from famkd.engine.hooks import FirstBatchHook
from famkd.engine.hooks.first_batch_hook import head_classes, labels_of


def test_a_training_that_fits_is_let_alone(make_runner):
    runner = make_runner(FirstBatchHook(), train_cfg=dict(max_epochs=1))
    runner.train()
    assert runner.iter == 3


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(dataset=dict(num_classes=9)), r'a label .* is \d, but .* num_classes=4'),
        (
            dict(dataset=dict(length=9)),
            'gives a batch of one image, but .*drop_last=Tr',
        ),
        (dict(batch_size=1), 'gives a batch of one image'),
        (
            dict(batch_size=32, drop_last=True),
            'train_dataloader gives no batch: its data set has 12 .*batch_size=32',
        ),
    ],
)
def test_what_does_not_fit_is_named(changes, message, make_runner):
    runner = make_runner(FirstBatchHook(), train_dataloader=changes)
    with pytest.raises(ValueError, match=message):
        runner.train()
    assert runner.iter == 0


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({}, 'topk=5: .* num_classes=4; give a smaller'),
        (
            {'model.architecture.head': None, 'model.calculate_student_loss': False},
            'val_dataloader: the student has no head',
        ),
    ],
)
def test_metrics_that_the_head_cannot_give(changes, message, make_runner):
    runner = make_runner(
        FirstBatchHook(),
        val_dataloader=dict(
            batch_size=4,
            dataset=dict(type='TinyImages', length=4, size=16, num_classes=4),
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        val_evaluator=dict(type='Accuracy', topk=(1, 5)),
        val_cfg=dict(),
        **changes,
    )
    with pytest.raises(ValueError, match=message):
        runner.train()
    assert runner.iter == 0


def network(**heads):
    """A network with heads that know their numbers of classes."""
    model = nn.Module()
    for name, count in heads.items():
        setattr(model, name, nn.Module())
        getattr(model, name).num_classes = count
    return model


def test_labels_of_boxes_and_of_pixels():
    boxes = BaseDataElement(gt_instances=InstanceData(labels=torch.tensor([1, 4])))
    none = BaseDataElement(gt_instances=InstanceData(labels=torch.tensor([])))
    detector = network(bbox_head=4)
    assert [x.tolist() for x in labels_of([boxes, none], detector)] == [[1, 4], []]

    classes = torch.tensor([[[0, 255], [3, 255]]])
    pixels = BaseDataElement(gt_sem_seg=PixelData(data=classes))
    segmentor = network(decode_head=4)
    assert [x.tolist() for x in labels_of([pixels], segmentor)] == [[0, 3]]
    segmentor.decode_head.ignore_index = 0
    assert [x.tolist() for x in labels_of([pixels], segmentor)] == [[255, 3, 255]]
    # Of panoptic data the classes are numbered otherwise.
    assert not list(labels_of([pixels], network(panoptic_head=4)))
    assert not list(labels_of(['sup'], detector))


def test_classes_of_heads():
    assert head_classes(network(head=4)) == 4
    assert head_classes(network(neck=4)) is None
    assert head_classes(network(decode_head=1)) == 2
    cascade = nn.Module()
    cascade.roi_head = nn.Module()
    cascade.roi_head.bbox_head = nn.ModuleList([network(), network()])
    assert head_classes(cascade) is None
    cascade.roi_head.bbox_head[-1].num_classes = 4
    assert head_classes(cascade) == 4
    proposals = type('RPN', (nn.Module,), {})()
    proposals.bbox_head = SimpleNamespace(num_classes=1)
    assert head_classes(proposals) is None
