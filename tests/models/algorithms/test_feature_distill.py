import copy

import pytest
import torch
from mmengine.logging import MMLogger
from torch.nn.functional import kl_div, log_softmax, softmax

from famkd.layers import LocalAttention
from famkd.layers.kernels import attention
from famkd.layers.kernels.reference import window_attention
from famkd.layers.reference import ReferenceFrequencyAttention
from famkd.models import FeatureDistill, ReviewDistiller

LOGITS = dict(
    student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
    teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
    distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4, loss_weight=0.9)),
    loss_forward_mappings=dict(
        loss_kl=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
        )
    ),
)


@pytest.fixture
def config(distillation):
    return distillation()


@pytest.fixture
def model(config, build):
    return build(config).train()


def count_calls(module):
    """A list that grows by one with every forward of the module."""
    calls = []
    module.register_forward_pre_hook(lambda module, inputs: calls.append(inputs))
    return calls


def records(model):
    """What the recorders hold."""
    managers = model.distiller.student_recorders, model.distiller.teacher_recorders
    return [
        data
        for manager in managers
        for recorder in manager.recorders.values()
        for data in recorder.data_buffer
    ]


def test_log_of_the_training_names_the_kernels(config, build, batch, tmp_path):
    MMLogger.get_instance('kernels', log_file=str(tmp_path / 'log'))
    attention._find_kernel.cache_clear()
    build(config).train()(*batch, mode='loss')
    assert 'window attention uses the' in (tmp_path / 'log').read_text()


# The teacher.


def test_teacher_stops_after_its_last_recorded_module(distillation, build, batch):
    stages = ['backbone.layer1', 'backbone.layer2']
    model = build(distillation(student_stages=stages, teacher_stages=stages)).train()
    backbone = model.teacher.backbone
    ran, stopped = count_calls(backbone.layer2), count_calls(backbone.layer3)
    model(*batch, mode='loss')
    assert len(ran) == 1
    assert not stopped


def test_teacher_that_overflows_is_named_at_the_first_batch(config, build, batch):
    config['teacher_options'] = dict(dtype='float16')
    model = build(config).train()
    with torch.no_grad():
        model.teacher.backbone.layer2[0].bn2.bias.fill_(6e4)
        model.teacher.backbone.layer2[0].bn2.weight.fill_(6e4)
    with pytest.raises(FloatingPointError) as error:
        model(*batch, mode='loss')
    message = str(error.value)
    assert message.startswith("the teacher's backbone.layer2 gives ")
    assert 'not finite, in float16: ' in message and 'dtype=bfloat16' in message


def test_teacher_that_overflows_later_is_no_matter_of_learning(config, build, batch):
    config['teacher_options'] = dict(dtype='float16')
    model = build(config).train()
    model(*batch, mode='loss')
    assert not model.advise_loss('distill.loss_stage1')
    with torch.no_grad():
        model.teacher.backbone.layer2[0].bn2.weight.fill_(6e4)
        model.teacher.backbone.layer2[0].bn2.bias.fill_(6e4)
    model(*batch, mode='loss')
    assert 'dtype=bfloat16' in model.advise_loss('distill.loss_stage1')
    assert not model.advise_loss('student.loss')


def test_images_that_are_not_finite_are_no_fault_of_the_precision(model, batch):
    images, data_samples = batch
    images[0, 0, 0, 0] = float('nan')
    with pytest.raises(FloatingPointError, match='in float32: are its images finite'):
        model(images, data_samples, mode='loss')


def test_teacher_head_is_never_called(model, batch):
    calls = count_calls(model.teacher.head)
    model(*batch, mode='loss')
    assert not calls


def test_teacher_runs_to_the_end_where_its_logits_are_recorded(
    distillation, build, batch
):
    model = build(distillation(**LOGITS)).train()
    calls = count_calls(model.teacher.head)
    model(*batch, mode='loss')
    assert len(calls) == 1


def test_teacher_runs_in_the_precision_of_the_student(model, batch):
    dtypes = []
    for network in (model.teacher, model.student):
        network.backbone.layer3.register_forward_hook(
            lambda module, inputs, output: dtypes.append(output.dtype)
        )
    with torch.autocast('cpu', torch.bfloat16):
        model(*batch, mode='loss')
    assert dtypes == [torch.bfloat16] * 2


def test_teacher_runs_without_autograd(model, batch):
    recorded = []
    model.teacher.backbone.layer3.register_forward_hook(
        lambda module, inputs, output: recorded.append(output)
    )
    losses = model(*batch, mode='loss')
    assert not recorded[0].requires_grad
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert all(p.grad is None for p in model.teacher.parameters())
    # Hooks of a forward that was cut short do not stop the next one.
    assert model.teacher(batch[0], mode='tensor').shape == (4, 4)


def test_teacher_stays_as_it_is(model, batch):
    before = copy.deepcopy(model.teacher.state_dict())
    for mode in (True, False, True):
        assert model.train(mode) is model
        assert not any(module.training for module in model.teacher.modules())
        assert all(module.training == mode for module in model.student.modules())
    model(*batch, mode='loss')
    for name, value in model.teacher.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_an_error_in_the_teacher_is_not_swallowed(model, batch):
    def fail(module, inputs):
        raise ZeroDivisionError('in the teacher')

    handle = model.teacher.backbone.layer2.register_forward_pre_hook(fail)
    with pytest.raises(ZeroDivisionError, match='in the teacher'):
        model(*batch, mode='loss')
    handle.remove()
    assert model.teacher(batch[0], mode='tensor').shape == (4, 4)


# The probe.


def test_probe_leaves_no_trace(config, classifier, build, monkeypatch):
    student, teacher = build(classifier(8)).train(), build(classifier(12))
    student.backbone.layer1.eval()  # as a frozen stage
    modes = {name: module.training for name, module in student.named_modules()}
    before = copy.deepcopy(student.state_dict())
    probed = count_calls(student.backbone.layer1), count_calls(teacher.backbone.layer1)
    # Building the stages draws their first weights; all else must draw nothing.
    monkeypatch.setattr(ReviewDistiller, 'build_stages', lambda self: None)
    random_state = torch.get_rng_state()
    del config['type']
    model = FeatureDistill(**{**config, 'architecture': student, 'teacher': teacher})
    assert torch.equal(torch.get_rng_state(), random_state)
    # The teacher's once more to see which BN can be folded.
    assert [len(calls) for calls in probed] == [1, 2]
    assert model.student is student
    assert {n: m.training for n, m in student.named_modules()} == modes
    for name, value in student.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not records(model)


# The step.


def test_student_loss_is_that_of_the_student_alone(model, batch):
    alone = copy.deepcopy(model.student)
    losses = model(*batch, mode='loss')
    torch.testing.assert_close(
        losses['student.loss'], alone(*batch, mode='loss')['loss'], rtol=0, atol=0
    )
    for name, value in alone.state_dict().items():
        assert torch.equal(value, model.student.state_dict()[name]), name


def test_features_are_let_go_after_the_step(model, batch):
    during = []
    compute = model.distiller.compute_distill_losses
    model.distiller.compute_distill_losses = lambda *given: (
        during.append(len(records(model))) or compute(*given)
    )
    model(*batch, mode='loss')
    assert during == [8]
    assert not records(model)


def test_weight_of_the_distillation(model, batch):
    full = copy.deepcopy(model)(*batch, mode='loss')
    model.distill_weight = 0.25
    losses = model(*batch, mode='loss')
    assert losses['distill_weight'] == 0.25
    assert losses['student.loss'] == full['student.loss']
    for stage in range(1, 5):
        name = f'distill.loss_stage{stage}'
        torch.testing.assert_close(losses[name], 0.25 * full[name])
    # What is logged only is no part of the loss.
    total, _ = model.parse_losses(losses)
    parts = [value for name, value in losses.items() if name != 'distill_weight']
    torch.testing.assert_close(total, sum(parts))


def test_stopped_distillation(model, batch):
    calls = count_calls(model.teacher)
    model.distillation_stopped = True
    assert model(*batch, mode='loss').keys() == {'student.loss'}
    assert not calls


def test_predictions_are_the_students(model, batch):
    model.eval()
    predictions = model(*batch, mode='predict')
    expected = model.student(batch[0], mode='tensor').softmax(dim=1)
    torch.testing.assert_close(
        torch.stack([sample.pred_score for sample in predictions]), expected
    )


def test_a_copy_works_on_its_own(model, batch):
    # As of an exponential moving average.
    twin = copy.deepcopy(model)
    losses = twin(*batch, mode='loss')
    assert not records(model)
    again = model(*batch, mode='loss')
    assert losses.keys() == again.keys()
    for name, value in losses.items():
        assert torch.equal(value, again[name])


def test_checkpoint_holds_the_student_and_real_numbers_only(model):
    state = model.state_dict()
    assert not any(value.is_complex() for value in state.values())
    student = {
        key.removeprefix('architecture.'): value
        for key, value in state.items()
        if key.startswith('architecture.')
    }
    model.student.load_state_dict(student, strict=True)


def test_training_equals_that_of_the_reference_form(model, batch):
    # In float64: rounding would grow from step to step.
    model.double()
    model.teacher.double()  # which copies share
    batch = batch[0].double(), batch[1]
    reference = copy.deepcopy(model)
    torch.manual_seed(1)
    for ours, theirs in zip(
        model.distiller.stages, reference.distiller.stages, strict=True
    ):
        fast = ours['head'].fam
        channels = fast.in_channels, fast.out_channels
        slow = ReferenceFrequencyAttention(*channels, fast.size)
        slow.local.load_state_dict(fast.local.state_dict())
        filter = torch.rand(*channels, *fast.size, dtype=torch.cdouble)
        for form in (fast, slow):
            form.load_full_spectrum(filter / fast.in_channels)
        theirs['head'].fam = slow.double()
    for module in reference.modules():
        if isinstance(module, LocalAttention):
            module.attend = window_attention

    curves = []
    for form in (model, reference):
        optimizer = torch.optim.SGD(
            [p for p in form.parameters() if p.requires_grad],
            lr=0.02,
            momentum=0.9,
            weight_decay=5e-4,
        )
        curve = []
        for _ in range(20):
            optimizer.zero_grad()
            total, _ = form.parse_losses(form(*batch, mode='loss'))
            total.backward()
            optimizer.step()
            curve.append(total.item())
        curves.append(curve)
    assert curves[0][-1] < 0.8 * curves[0][0]
    assert curves[0] == pytest.approx(curves[1], rel=1e-6)


def test_mixup_of_the_student_stays(config, build):
    config['architecture']['train_cfg'] = dict(augments=dict(type='Mixup', alpha=0.5))
    # As the runner does where the data have a preprocessor.
    config['data_preprocessor'] = dict(mean=[0.0] * 3, std=[1.0] * 3)
    model = build(config)
    assert model.data_preprocessor.batch_augments is not None
    assert model.data_preprocessor is not model.student.data_preprocessor


# Other distillers.


def test_logits_next_to_the_stages(distillation, build, batch):
    model = build(distillation(**LOGITS)).train()
    alone = copy.deepcopy(model.student)
    losses = model(*batch, mode='loss')
    assert {'distill.loss_kl', 'distill.loss_stage4'} <= losses.keys()
    with torch.no_grad():
        teacher = softmax(model.teacher(batch[0], mode='tensor') / 4, dim=1)
        student = log_softmax(alone(batch[0], mode='tensor') / 4, dim=1)
    expected = 0.9 * 4**2 * kl_div(student, teacher, reduction='batchmean')
    torch.testing.assert_close(losses['distill.loss_kl'].detach(), expected)


def test_plain_configurable_distiller(config, build, batch):
    feature = dict(feature=dict(type='ModuleOutputs', source='backbone.layer2'))
    config['distiller'] = dict(
        type='ConfigurableDistiller',
        student_recorders=feature,
        teacher_recorders=feature,
        connectors=dict(
            fam=[
                dict(type='LocalAttentionConnector', in_channels=16),
                dict(type='FAMConnector', in_channels=16, out_channels=24, size=8),
            ]
        ),
        distill_losses=dict(loss_fam=dict(type='StageMSELoss', loss_weight=3.0)),
        loss_forward_mappings=dict(
            loss_fam=dict(
                s_feature=dict(from_student=True, recorder='feature', connector='fam'),
                t_feature=dict(from_student=False, recorder='feature'),
            )
        ),
    )
    model = build(config).train()
    after = count_calls(model.teacher.backbone.layer3)
    losses = model(*batch, mode='loss')
    assert not after
    losses['distill.loss_fam'].backward()
    connector = model.distiller.connectors['fam']
    assert all(p.grad is not None for p in connector.parameters())
    assert losses['distill.loss_fam'] > 0


# Without labels.


def test_without_labels_and_head_the_features_are_learned(config, build, batch):
    config['architecture'] = {**config['architecture'], 'head': None}
    with pytest.raises(ValueError, match='no head, .*calculate_student_loss=False'):
        build(config)
    model = build({**config, 'calculate_student_loss': False}).train()
    total, log = model.parse_losses(model(batch[0], None, mode='loss'))
    assert not any(name.startswith('student') for name in log)
    total.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_without_its_own_loss_the_student_stops_at_its_last_stage(config, build, batch):
    model = build({**config, 'calculate_student_loss': False}).train()
    model.student.head.register_forward_hook(lambda *_: pytest.fail('head runs'))
    losses = model(*batch, mode='loss')
    expected = build(config).train()(*batch, mode='loss')
    for name, value in losses.items():
        torch.testing.assert_close(value, expected[name])


def test_a_teacher_without_a_head_cannot_be_evaluated(config, build):
    config['teacher'] = {**config['teacher'], 'head': None}
    with pytest.raises(ValueError, match='no predictions to evaluate; leave --eval'):
        build(config).predict_with_teacher({})


# Bad input.


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('teacher_trainable', True),
        ('student_trainable', False),
    ],
)
def test_options_of_the_base_class_that_do_not_apply(name, value, config, build):
    with pytest.raises(ValueError, match=f'{name}={value}: .*SingleTeacherDistill'):
        build({**config, name: value})


def test_a_random_teacher_is_an_error(config, build):
    del config['allow_random_teacher']
    with pytest.raises(
        ValueError, match='teacher_ckpt=None would .*; set model.teacher_ckpt'
    ):
        build(config)


def test_unknown_option_names_the_nearest(config, build):
    with pytest.raises(
        ValueError, match='model.teacher_option is no option .* teacher_options'
    ):
        build({**config, 'teacher_option': dict(dtype='bfloat16')})


def test_a_recorder_on_no_module_names_the_nearest(config, build):
    recorders = dict(f=dict(type='ModuleOutputs', source='backbone.layer9'))
    config['distiller'] = dict(
        type='ConfigurableDistiller',
        student_recorders=recorders,
        teacher_recorders=recorders,
    )
    with pytest.raises(
        ValueError, match="student_recorders.f: 'backbone.layer9' is .*backbone.layer3"
    ):
        build(config)


@pytest.mark.parametrize('shape', [(3, 16), (3, 16, 0), 16, (3, 16.0, 16), '3x16x16'])
def test_an_input_shape_is_three_numbers(shape, config, build):
    with pytest.raises(ValueError, match='input_shape=.* must be the channels, heig'):
        build({**config, 'input_shape': shape})


def test_a_teacher_that_is_given_keeps_its_weights(config, build):
    teacher = build(config['teacher'])
    torch.nn.init.constant_(teacher.head.fc.weight, 7)
    model = build({**config, 'teacher': teacher})
    model.init_weights()
    assert model.teacher is teacher
    assert (teacher.head.fc.weight == 7).all()


@pytest.mark.parametrize('options', [dict(input_size=24), dict(input_scale=0.5)])
def test_boxes_of_a_teacher_with_other_images_are_not_evaluated(
    options, config, build, batch
):
    config['teacher_options'] = options
    images, samples = batch
    for sample in samples:
        sample.gt_instances = None
    with pytest.raises(ValueError, match='leave --eval-teacher'):
        build(config).predict_with_teacher(dict(inputs=images, data_samples=samples))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_overflow_in_mixed_precision_is_told(dtype, model, batch):
    with torch.autocast('cpu', dtype):
        model(*batch, mode='loss')
        torch.nn.init.constant_(model.teacher.backbone.layer3[0].conv2.weight, 1e4)
        model(*batch, mode='loss')
    overflown = model.advise_loss('distill.loss_stage3')
    assert ('has overflown' in overflown) == (dtype == torch.float16)
