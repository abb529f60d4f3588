import pytest
import torch
from mmrazor.registry import MODELS

METHODS = {
    'famkd': dict(fusion=dict(type='CrossAttentionFusion'), head=dict(type='FAMHead')),
    'reviewkd': dict(
        fusion=dict(type='ABFusion'),
        head=dict(type='ConvHead'),
        loss=dict(type='HCLLoss'),
    ),
    'fam_reviewkd': dict(
        fusion=dict(type='ABFusion'),
        head=dict(type='FAMHead', with_relu=False),
        loss=dict(type='HCLLoss'),
    ),
    'famkd_l2l': dict(
        fusion=dict(type='LocalAttentionConnector'), head=dict(type='FAMHead')
    ),
}


@pytest.fixture
def make(distillation, build):
    """Function (**distiller): the model of a distillation."""

    def make(config=None, **distiller):
        return build({**distillation(**distiller), **(config or {})})

    return make


def record(model, images):
    """Runs both networks with the recorders on."""
    with model.distiller.teacher_recorders, torch.no_grad():
        model.teacher(images, mode='tensor')
    with model.distiller.student_recorders:
        model.student(images, mode='tensor')


def student_feature(model, stage):
    feature = model.distiller.get_record(f'stage{stage}', from_student=True)
    return feature[0] if isinstance(feature, tuple) else feature


def test_channels_and_sizes_are_those_of_the_networks(make):
    stages = make().distiller.stages
    layers = [stage['head'].fam for stage in stages]
    assert [fam.in_channels for fam in layers] == [8, 16, 32, 32]
    assert [fam.out_channels for fam in layers] == [12, 24, 48, 48]
    assert [fam.size for fam in layers] == [(16, 16), (8, 8), (4, 4), (1, 1)]
    # Reviews of 16, 32, 32 channels meet features of 8, 16, 32.
    residuals = [stage['fusion'].residual for stage in stages[:3]]
    assert residuals[0].conv.weight.shape == (8, 16, 1, 1)
    assert residuals[1].conv.weight.shape == (16, 32, 1, 1)
    assert residuals[2] is None
    assert not list(stages[3]['fusion'].parameters())


def test_sizes_follow_input_shape(make):
    stages = make(dict(input_shape=(3, 20, 12))).distiller.stages
    sizes = [stage['head'].fam.size for stage in stages]
    assert sizes == [(20, 12), (10, 6), (5, 3), (1, 1)]


@pytest.mark.parametrize('method', METHODS)
def test_every_parameter_is_used(method, make, batch):
    model = make(**METHODS[method]).train()
    losses = model(*batch, mode='loss')
    stages = [f'distill.loss_stage{i}' for i in range(1, 5)]
    assert [key for key in losses if key.startswith('distill.')] == stages[::-1]
    assert all(losses[stage] > 0 for stage in stages)
    sum(losses[stage] for stage in stages).backward()
    # DistributedDataParallel waits for every gradient.
    for name, parameter in model.distiller.named_parameters():
        assert parameter.grad is not None, name
    for name, parameter in model.student.named_parameters():
        assert (parameter.grad is None) == name.startswith('head'), name


@pytest.mark.parametrize('method', METHODS)
def test_review_reaches_from_deep_to_shallow(method, make, batch):
    model = make(**METHODS[method]).train()
    record(model, batch[0])
    losses = model.distiller.compute_distill_losses()
    features = [student_feature(model, stage) for stage in range(1, 5)]
    for stage in range(1, 5):
        gradients = torch.autograd.grad(
            losses[f'loss_stage{stage}'],
            features[stage - 1 :],
            retain_graph=True,
            allow_unused=True,
        )
        used = [gradient is not None and gradient.any() for gradient in gradients]
        if method == 'famkd_l2l':
            assert used == [True] + [False] * (4 - stage)
        else:
            assert all(used)


def test_one_stage_is_what_its_parts_give(make, batch):
    model = make().train()
    record(model, batch[0])
    losses = model.distiller.compute_distill_losses()
    features = [student_feature(model, stage) for stage in range(1, 5)]
    teacher = model.distiller.get_record('stage3', from_student=False)
    stages = model.distiller.stages
    review = features[3][:, :, None, None]
    review = stages[2]['fusion'](features[2], review)
    out = stages[2]['head'](review)
    torch.testing.assert_close(losses['loss_stage3'], ((out - teacher) ** 2).mean())


@pytest.mark.parametrize('method', METHODS)
def test_student_and_teacher_of_other_sizes(method, make, batch):
    # 8x8 and 4x4 maps of the student meet 16x16 and 8x8 maps of the teacher.
    model = make(
        student_stages=['backbone.layer2', 'backbone.layer3'],
        teacher_stages=['backbone.layer1', 'backbone.layer2'],
        **METHODS[method],
    ).train()
    losses = model(*batch, mode='loss')
    assert losses['distill.loss_stage1'].isfinite()
    losses['distill.loss_stage1'].backward()


def test_mid_channels(make, batch):
    number = make(fusion=dict(type='CrossAttentionFusion', mid_channels=6))
    assert [s['head'].fam.in_channels for s in number.distiller.stages] == [6] * 4
    given = [4, 8, 16, 16]
    several = make(fusion=dict(type='CrossAttentionFusion', mid_channels=given))
    assert [s['head'].fam.in_channels for s in several.distiller.stages] == given
    assert several.train()(*batch, mode='loss')['distill.loss_stage1'].isfinite()
    with pytest.raises(ValueError, match=r'mid_channels=\[4, 8\] are 2 .* 4 stages'):
        make(fusion=dict(type='CrossAttentionFusion', mid_channels=[4, 8]))
    with pytest.raises(ValueError, match='channels=5 is odd'):
        make(fusion=dict(type='CrossAttentionFusion', mid_channels=5))


def test_feature_before_the_relu(make, batch):
    before = dict(type='ModuleInputs', source='backbone.layer2.relu')
    model = make(student_stages=[before], teacher_stages=['backbone.layer2'])
    record(model, batch[0])
    student = student_feature(model, 1)
    assert student.min() < 0
    assert model.distiller.get_record('stage1', from_student=False).min() == 0
    stages = ['backbone.layer2']
    after = make(student_stages=stages, teacher_stages=stages)
    record(after, batch[0])
    torch.testing.assert_close(student.relu(), student_feature(after, 1))


def test_one_of_several_values_or_calls(make, classifier, batch):
    # layer1.0.relu is called twice, the second time at the end of the block.
    model = make(
        dict(
            architecture=classifier(8, depth=14, out_indices=(0, 1, 2)),
            teacher=classifier(12, depth=14),
        ),
        student_stages=[dict(type='ModuleOutputs', source='backbone', data_idx=1)],
        teacher_stages=[
            dict(type='ModuleOutputs', source='backbone.layer1.0.relu', record_idx=1)
        ],
    )
    fam = model.distiller.stages[0]['head'].fam
    assert (fam.in_channels, fam.out_channels) == (16, 12)
    last = []
    model.teacher.backbone.layer1[0].register_forward_hook(
        lambda module, inputs, output: last.append(output)
    )
    losses = model.train()(*batch, mode='loss')
    record(model, batch[0])
    feature = model.distiller.get_record('stage1', False, record_idx=1)
    assert torch.equal(feature, last[0])
    assert losses['distill.loss_stage1'] > 0


def test_runner_initialisation_keeps_the_parts(make):
    model = make(**METHODS['reviewkd'])
    before = {k: v.clone() for k, v in model.distiller.state_dict().items()}
    model.init_weights()
    for name, value in model.distiller.state_dict().items():
        assert torch.equal(value, before[name]), name


# Bad input.


@pytest.mark.parametrize('role', ['student', 'teacher'])
def test_source_that_is_no_module(role, make):
    stages = ['backbone.layer1', 'backbone.layr3']
    with pytest.raises(ValueError) as error:
        make(
            **{
                'student_stages': ['backbone.layer1', 'neck'],
                'teacher_stages': ['backbone.layer1', 'neck'],
                f'{role}_stages': stages,
            }
        )
    assert str(error.value).startswith(
        f"{role}_stages: 'backbone.layr3' is no module of the {role} "
        '(ImageClassifier); near names: backbone.layer3'
    )


def test_recorder_on_no_module_is_named(make):
    recorders = dict(logits=dict(type='ModuleOutputs', source='head.fcc'))
    with pytest.raises(ValueError, match="^student_recorders.logits: 'head.fcc' is no"):
        make(student_recorders=recorders)


def test_source_far_from_every_name(make):
    with pytest.raises(
        ValueError, match="'xyz' is no module .* near names: .*backbone"
    ):
        make(student_stages=['xyz'], teacher_stages=['neck'])


@pytest.mark.parametrize(('students', 'teachers'), [(2, 3), (1, 0), (0, 0)])
def test_numbers_of_stages(students, teachers, make):
    with pytest.raises(
        ValueError,
        match=f'student_stages has {students} stages and teacher_stages {teachers}; ',
    ):
        make(student_stages=['neck'] * students, teacher_stages=['neck'] * teachers)


def test_record_of_several_features(make, classifier):
    with pytest.raises(
        ValueError, match="student_stages: 'backbone' gives 3 values, .* data_idx"
    ):
        make(
            dict(architecture=classifier(8, out_indices=(0, 1, 2))),
            student_stages=['backbone'],
            teacher_stages=['neck'],
        )


def test_expected_channels(make):
    make(student_channels=[8, 16, 32, 32], teacher_channels=[12, 24, 48, 48])
    with pytest.raises(
        ValueError,
        match=r'teacher_channels=\[1, 2, 3, 4\], but .* \[12, 24, 48, 48\]; correct it',
    ):
        make(teacher_channels=[1, 2, 3, 4])


@pytest.mark.parametrize('name', ['CrossAtentionFusion', 'ConvHead'])
def test_fusion_that_is_none(name, make):
    with pytest.raises(ValueError, match=f"fusion: type='{name}' is no ReviewFusion"):
        make(fusion=dict(type=name))


def test_images_of_another_size(make):
    model = make().train()
    with pytest.raises(
        ValueError, match=r'the map is \(3, 3\) .* size=\(4, 4\); .* model.input_shape'
    ):
        record(model, torch.zeros(2, 3, 12, 12))
        model.distiller.compute_distill_losses()


def test_losses_before_the_stages_are_built(distillation):
    distiller = MODELS.build(distillation()['distiller'])
    with pytest.raises(RuntimeError, match='has no stages yet: .*FeatureDistill'):
        distiller.compute_distill_losses()


def test_a_level_that_one_network_does_not_have(make):
    # The backbone of the teacher gives its last stage only.
    with pytest.raises(
        ValueError,
        match="teacher_stages: 'backbone' gives .*, so there is no data_idx=1; name as "
        'many levels of student and teacher',
    ):
        make(
            student_stages=['backbone.layer2', 'backbone.layer3'],
            teacher_stages=[
                dict(source='backbone', data_idx=0),
                dict(source='backbone', data_idx=1),
            ],
        )


@pytest.mark.parametrize(
    'logit_loss',
    [
        dict(type='DKDLoss', tau=4, beta=8),
        dict(type='StandardizedKLDivergence', tau=2, loss_weight=9.0),
    ],
    ids=['dkd', 'standardized'],
)
def test_a_loss_of_the_logits_is_one_option(logit_loss, make, batch):
    model = make(logit_loss=logit_loss).train()
    losses = model(*batch, mode='loss')
    assert losses['distill.loss_logits'] > 0
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is not None for p in model.student.parameters())
    assert all(p.grad is not None for p in model.distiller.parameters())


@pytest.mark.parametrize('value', [0, -4, [8, 8, 0, 8], [8.5] * 4])
def test_mid_channels_are_positive(value, make):
    fusion = dict(type='ABFusion', mid_channels=value)
    with pytest.raises(ValueError, match='fusion: mid_channels=.* at least 1; leave'):
        make(fusion=fusion)


def test_stages_are_named_from_shallow_to_deep(make):
    stages = ['backbone.layer1', 'backbone.layer3', 'backbone.layer2']
    with pytest.raises(
        ValueError,
        match=r"'backbone.layer2' gives a map of \(8, 8\), 'backbone.layer3' before it "
        r'one of \(4, 4\); name the stages from shallow',
    ):
        make(student_stages=stages, teacher_stages=stages)


def test_a_loss_that_refuses_a_stage_does_so_when_it_is_built(distillation, build):
    config = distillation()
    config['distiller']['loss'] = dict(type='DCTAttentionLoss')
    with pytest.raises(ValueError, match='DCTAttentionLoss'):
        build(config)
