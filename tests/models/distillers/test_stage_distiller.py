"""Stages compared one by one, with the labels and logits that a loss asks for."""

import pytest
import torch
from mmpretrain.structures import DataSample
from mmrazor.registry import MODELS
from torch import nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, mse_loss, softmax

STAGES = ['backbone.layer1', 'backbone.layer3']


class Recorded(nn.Module):
    """Keeps what it is called with."""

    def __init__(self):
        super().__init__()
        self.calls = []


@MODELS.register_module()
class PlainLoss(Recorded):
    def forward(self, s_feature, t_feature):
        self.calls.append((s_feature, t_feature))
        return s_feature.mean() ** 2 + t_feature.mean()


@MODELS.register_module()
class AskingLoss(Recorded):
    def forward(self, s, t, gt_labels, teacher_logits, data_samples, correct=None):
        self.calls.append((gt_labels, teacher_logits, data_samples, correct))
        return s.mean()


@MODELS.register_module()
class GuidedLoss(Recorded):
    def forward(self, s, t, correct):
        self.calls.append(correct)
        return s.mean()


@MODELS.register_module()
class LabelledLogitLoss(Recorded):
    def forward(self, preds_S, preds_T, gt_labels):
        return cross_entropy(preds_S, gt_labels) + mse_loss(preds_S, preds_T)


@pytest.fixture
def make(distillation, build):
    """Function (**distiller): a distillation by a StageDistiller, in training mode."""

    def make(config=(), **distiller):
        whole = distillation()
        whole['distiller'] = dict(type='StageDistiller', **distiller)
        return build({**whole, **dict(config)}).train()

    return make


def test_each_pair_is_compared_by_the_loss(make, batch):
    model = make(stages=STAGES, loss=dict(type='PlainLoss'))
    losses = model(*batch, mode='loss')
    names = [name for name in losses if name.startswith('distill.')]
    assert names == ['distill.loss_stage1', 'distill.loss_stage2']
    (student, teacher), (deep, _) = model.distiller.loss.calls
    assert student.shape == (4, 8, 16, 16)
    assert teacher.shape == (4, 12, 16, 16)
    assert deep.shape == (4, 32, 4, 4)
    assert losses[names[0]] == student.mean() ** 2 + teacher.mean()
    assert not list(model.distiller.parameters())


def test_connectors_fit_the_student_to_the_teacher(make, batch):
    model = make(
        stages=STAGES, connector=dict(type='ConvHead'), loss=dict(type='StageMSELoss')
    )
    losses = model(*batch, mode='loss')
    (losses['distill.loss_stage1'] + losses['distill.loss_stage2']).backward()
    connectors = [stage['connector'] for stage in model.distiller.stages]
    assert [c.conv.conv.weight.shape[:2] for c in connectors] == [(12, 8), (48, 32)]
    assert all(p.grad is not None for c in connectors for p in c.parameters())


def test_a_loss_gets_what_its_arguments_ask_for(make, batch):
    model = make(stages=STAGES, loss=dict(type='AskingLoss'))
    model(*batch, mode='loss')
    labels, logits, samples, correct = model.distiller.loss.calls[0]
    assert labels.tolist() == [0, 1, 2, 3]
    assert samples is batch[1]
    assert correct is None
    torch.testing.assert_close(logits, model.teacher(batch[0], mode='tensor'))


def test_guidance_marks_the_samples_that_the_teacher_gets_right(make, batch):
    model = make(stages=STAGES, loss=dict(type='AskingLoss'), guided=True)
    with torch.no_grad():
        classes = model.teacher(batch[0], mode='tensor').argmax(dim=1)
    images = batch[0]
    labels = [classes[0], (classes[1] + 1) % 4, classes[2], (classes[3] + 2) % 4]
    samples = [DataSample().set_gt_label(label) for label in labels]
    model(images, samples, mode='loss')
    assert model.distiller.loss.calls[0][3].tolist() == [True, False, True, False]


def test_a_loss_that_cannot_do_without_guidance_gets_it(make, batch):
    model = make(stages=STAGES, loss=dict(type='GuidedLoss'))
    model(*batch, mode='loss')
    assert model.distiller.loss.calls[0].shape == (4,)


def test_logits_are_compared_beside_the_stages(make, batch):
    model = make(
        stages=STAGES,
        loss=dict(type='PlainLoss'),
        logit_loss=dict(type='KLDivergence', tau=4, loss_weight=0.9),
    )
    student = model.student.eval()(batch[0], mode='tensor')
    loss = model(*batch, mode='loss')['distill.loss_logits']
    teacher = softmax(model.teacher(batch[0], mode='tensor') / 4, dim=1)
    expected = kl_div(log_softmax(student / 4, dim=1), teacher, reduction='batchmean')
    torch.testing.assert_close(loss, 0.9 * 16 * expected)


def test_loss_of_logits_with_labels(make, batch):
    model = make(
        stages=STAGES,
        loss=dict(type='PlainLoss'),
        logit_loss=dict(type='LabelledLogitLoss'),
    )
    assert model(*batch, mode='loss')['distill.loss_logits'] > 0


@pytest.mark.parametrize(
    ('options', 'head_calls'),
    [({}, 0), ({'logit_loss': dict(type='KLDivergence')}, 1)],
    ids=['features', 'logits'],
)
def test_teacher_runs_up_to_its_logits_and_no_further(options, head_calls, make, batch):
    model = make(stages=STAGES, loss=dict(type='PlainLoss'), **options)
    calls = []
    model.teacher.head.register_forward_hook(lambda *_: calls.append(1))
    model.teacher.head.loss = model.teacher.head.predict = None  # not called
    model(*batch, mode='loss')
    assert len(calls) == head_calls


def test_classes_instead_of_names(make, batch):
    make(stages=STAGES, loss=dict(type=PlainLoss))(*batch, mode='loss')


# Bad input.


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            {'stages': STAGES, 'student_stages': STAGES},
            'give stages, or student_stages',
        ),
        ({}, 'student_stages has 0 stages and teacher_stages 0'),
        (
            {'stages': STAGES, 'guided': True},
            'guided=True: PlainLoss has no samples to choose from',
        ),
        ({'stages': STAGES, 'loss': None}, 'loss=None of StageDistiller: name what'),
        (
            {'stages': 'backbone.layer1'},
            r"'backbone.layer1' is one name; give a list, \['backbone.layer1'\]",
        ),
        ({'stages': [dict(type='ModuleInputs')]}, 'names no module; add it'),
    ],
)
def test_options_that_do_not_fit_together(options, message, make):
    with pytest.raises(ValueError, match=message):
        make(**{'loss': dict(type='PlainLoss'), **options})


@pytest.mark.parametrize('loss', ['StageMSELoss', 'HCLLoss', 'BandSplitLoss'])
def test_features_of_other_shapes_are_refused_when_built(loss, make):
    message = r"'backbone.layer1', .*\(1, 8, 16, 16\).*\(1, 12, 16, 16\).*connector"
    with pytest.raises(ValueError, match=message):
        make(stages=STAGES, loss=dict(type=loss))


def test_features_that_connectors_cannot_bring_together_are_refused(make):
    with pytest.raises(ValueError, match=r"backbone.layer1'.*backbone.layer3'.*height"):
        make(
            student_stages=['backbone.layer1'],
            teacher_stages=['backbone.layer3'],
            connector=dict(type='ConvHead'),
            loss=dict(type='StageMSELoss'),
        )


def test_soft_labels_are_an_error_where_classes_are_asked_for(make, batch):
    model = make(stages=STAGES, loss=dict(type='AskingLoss'), guided=True)
    samples = [s.set_gt_score(torch.full((4,), 0.25)) for s in batch[1]]
    with pytest.raises(ValueError, match='the labels are soft .* mixup'):
        model(batch[0], samples, mode='loss')
    samples = [s.set_gt_score(torch.eye(4)[i]) for i, s in enumerate(batch[1])]
    model(batch[0], samples, mode='loss')


@pytest.mark.parametrize('samples', [None, [DataSample()] * 4])
def test_labels_that_are_not_there(samples, make, batch):
    model = make(stages=STAGES, loss=dict(type='AskingLoss'))
    record = model.distiller
    with record.teacher_recorders, record.student_recorders:
        model.teacher(batch[0], mode='tensor')
        model.student(batch[0], mode='tensor')
    with pytest.raises(ValueError, match='have no gt_label: .*guided, gt_labels'):
        record.compute_distill_losses(samples)


def test_logits_of_other_classes(make, classifier):
    teacher = classifier(12)
    teacher['head']['num_classes'] = 7
    with pytest.raises(ValueError, match='student has 4 classes and the teacher 7'):
        make(
            dict(teacher=teacher),
            stages=STAGES,
            loss=dict(type='PlainLoss'),
            logit_loss=dict(type='KLDivergence'),
        )


# The first gives maps, the other is not called in a forward pass: heads of detectors.
@pytest.mark.parametrize('head', ['backbone', 'data_preprocessor'])
def test_a_head_without_class_scores(head, make):
    with pytest.raises(
        ValueError, match=f'the {head} of the teacher gives no class scores'
    ):
        make(stages=STAGES, loss=dict(type='AskingLoss'), logits=head)


def test_a_module_that_is_not_called_is_no_stage(make):
    message = "student_stages: 'data_preprocessor' was called 0 times in a forward"
    with pytest.raises(ValueError, match=message):
        make(stages=['data_preprocessor'], loss=dict(type='PlainLoss'))


@pytest.mark.parametrize('weight', ['abc', -1.0, float('nan'), float('inf')])
def test_weights_of_losses_are_weights(weight, make):
    with pytest.raises(
        ValueError, match=r'^distiller\.logit_loss: loss_weight=.* of KLDivergence must'
    ):
        make(
            stages=STAGES,
            loss=dict(type='PlainLoss'),
            logit_loss=dict(type='KLDivergence', loss_weight=weight),
        )


@pytest.mark.parametrize(
    ('options', 'name'),
    [
        (
            dict(type='FreeKDDistiller', prompts=None, loss=dict(type='PlainLoss')),
            'loss',
        ),
        (
            dict(type='FreeKDDistiller', prompts=None, connector=dict(type='A')),
            'connector',
        ),
        (dict(type='FourierKDDistiller', stage_loss={}, loss=dict(type='A')), 'loss'),
        (
            dict(
                type='ReviewDistiller',
                fusion={},
                head={},
                loss=dict(type='PlainLoss'),
                connector=dict(type='A'),
            ),
            'connector',
        ),
    ],
)
def test_what_a_method_has_of_its_own_is_not_given(options, name):
    message = f'{name}=.* {options["type"]} has its own; leave distiller.{name} out'
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(stages=STAGES, **options))


def test_a_record_that_is_read_twice_is_counted_once_and_for_the_last(make):
    model = make(
        stages=STAGES,
        loss=dict(type='PlainLoss'),
        student_recorders=dict(twice=dict(type='ModuleOutputs', source=STAGES[0])),
    )
    distiller = model.distiller
    stage = distiller.student_stages[0].recorder
    distiller.loss_forward_mappings = dict(
        a=dict(x=dict(from_student=True, recorder=stage, record_idx=1))
    )
    assert distiller.needed_records(from_student=True)[stage] == 2


def test_a_recorder_that_is_on_no_module(make, batch):
    model = make(
        stages=STAGES,
        loss=dict(type='PlainLoss'),
        teacher_recorders=dict(
            classes=dict(
                type='MethodOutputs',
                source='mmpretrain.models.heads.LinearClsHead.pre_logits',
            )
        ),
    )
    assert 'distill.loss_stage1' in model(*batch, mode='loss')


def test_class_scores_of_a_teacher_in_half_precision_are_widened(make, batch):
    model = make(
        dict(teacher_options=dict(dtype='bfloat16')),
        stages=STAGES,
        loss=dict(type='PlainLoss'),
        logit_loss=dict(type='LabelledLogitLoss'),
    )
    seen = []
    model.distiller.logit_loss.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs['preds_T'].dtype),
        with_kwargs=True,
    )
    model(*batch, mode='loss')
    assert seen == [torch.float32]
