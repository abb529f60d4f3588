import json
from pathlib import Path

import pytest
import tiny_images  # noqa: F401
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import famkd.engine  # noqa: F401


@pytest.fixture
def runner_of(distillation, tmp_path):
    """Function (**changes): a runner of a distillation with the hook."""

    def make(**changes):
        loader = dict(
            batch_size=3,
            num_workers=0,
            dataset=dict(
                type='TinyImages',
                length=8,
                size=16,
                num_classes=4,
                pipeline=[dict(type='PackInputs')],
            ),
            sampler=dict(type='DefaultSampler', shuffle=False),
        )
        config = dict(
            default_scope='mmpretrain',
            work_dir=str(tmp_path),
            experiment_name=tmp_path.name,
            model=distillation(),
            data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
            train_dataloader=loader,
            train_cfg=dict(by_epoch=True, max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
            val_dataloader=loader,
            val_evaluator=dict(type='Accuracy'),
            val_cfg=dict(),
            custom_hooks=[dict(type='EvalTeacherHook')],
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', save_best='auto')
            ),
        )
        return Runner.from_cfg(Config({**config, **changes}))

    return make


def accuracy(teacher, preprocessor, dataset):
    """Percent of the images that the teacher classifies correctly."""
    correct = 0
    teacher.eval()
    for item in dataset:
        images = preprocessor({'inputs': item['inputs'][None]})['inputs']
        prediction = teacher(images, mode='tensor').argmax().item()
        correct += prediction == item['data_samples'].gt_label.item()
    return 100 * correct / len(dataset)


def test_metrics_are_those_of_the_teacher(runner_of):
    runner = runner_of()
    seen = []
    runner.model.teacher.backbone.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].shape[0])
    )
    runner.train()
    # One image, to fold its BN; 8 before the training, then two epochs of as many.
    assert seen == [1, *[3, 3, 2] * 3]
    lines = Path(runner.log_dir, 'vis_data/scalars.json').read_text().splitlines()
    (logged,) = [line for line in map(json.loads, lines) if 'teacher' in str(line)]
    model = runner.model
    with torch.no_grad():
        expected = accuracy(
            model.teacher, model.data_preprocessor, runner.val_dataloader.dataset
        )
    assert logged == {'teacher/accuracy/top1': pytest.approx(expected), 'step': 0}


def test_the_training_is_as_without_it(runner_of):
    runner = runner_of()
    model, modes = runner.model, []
    model.student.backbone.register_forward_pre_hook(
        lambda module, inputs: modes.append(model.student.training)
    )
    runner.train()
    assert modes[0]
    assert not model.teacher.training
    # Only the student's accuracies count for the best checkpoint.
    accuracies, _ = runner.message_hub.get_scalar('val/accuracy/top1').data
    assert len(accuracies) == 2
    assert runner.message_hub.get_info('best_score') == max(accuracies)


def test_without_validation(runner_of):
    runner = runner_of(val_dataloader=None, val_evaluator=None, val_cfg=None)
    with pytest.raises(ValueError, match='val_dataloader and val_evaluator, which'):
        runner.train()


def test_without_a_teacher(runner_of, classifier):
    runner = runner_of(model=classifier(8))
    with pytest.raises(ValueError, match='the model is a ImageClassifier; only'):
        runner.train()
