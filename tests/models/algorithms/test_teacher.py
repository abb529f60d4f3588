"""The teacher as a guest: how it runs, and where it is not."""

import copy
import io

import pytest
import torch
from mmengine.model import ExponentialMovingAverage


@pytest.fixture
def make(distillation, build):
    """Function (**teacher_options): a distillation in training mode."""

    def make(distiller=(), **options):
        config = {**distillation(**dict(distiller)), 'teacher_options': options}
        return build(config).train()

    return make


@pytest.fixture
def model(make):
    return make()


def features_of(model, batch):
    """What the teacher's last stage gives in a training step."""
    seen = []
    handle = model.teacher.backbone.layer3.register_forward_hook(
        lambda module, args, output: seen.append(output)
    )
    model(*batch, mode='loss')
    handle.remove()
    return seen[0]


def norms_of(network):
    """Names of its BN."""
    return [
        name
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d)
    ]


# Not a part of the algorithm.


def test_state_dict_parameters_and_copies_are_without_the_teacher(model):
    assert not any('teacher' in key for key in model.state_dict())
    assert not any('teacher' in key for key, _ in model.named_modules())
    ours = {id(p) for p in model.parameters()}
    assert not ours & {id(p) for p in model.teacher.parameters()}
    average = ExponentialMovingAverage(model)
    assert not any('teacher' in key for key in average.state_dict())


def test_a_copy_shares_the_teachers_weights(model):
    twin = copy.deepcopy(model)
    assert twin.teacher is not model.teacher  # it has hooks of its own
    pairs = zip(twin.teacher.parameters(), model.teacher.parameters(), strict=True)
    assert all(ours is theirs for ours, theirs in pairs)


def test_teacher_follows_the_images_to_their_device(make, batch):
    # The second device that every machine has; it has no values to compare.
    model = make(fuse_bn=False)
    model.guest.record(batch[0].to('meta'), None)
    assert next(model.teacher.parameters()).device.type == 'meta'


# Its options.


@pytest.mark.parametrize('option', ['channels_last', 'fuse_bn', 'compile'])
def test_acceleration_changes_no_result(option, make, batch):
    plain = dict(channels_last=False, fuse_bn=False, compile=False)
    losses = make(**{**plain, option: True})(*batch, mode='loss')
    torch.testing.assert_close(losses, make(**plain)(*batch, mode='loss'))


def test_layout_and_fused_norms(make, batch):
    model = make(channels_last=True)
    features = features_of(model, batch)
    assert features.is_contiguous(memory_format=torch.channels_last)
    assert not norms_of(model.teacher)


@pytest.mark.parametrize('autocast', [False, True])
def test_precision_of_its_own(autocast, make, batch):
    model = make(dtype='bfloat16')
    assert {p.dtype for p in model.teacher.parameters()} == {torch.bfloat16}
    with torch.autocast('cpu', torch.float16, enabled=autocast):
        assert features_of(model, batch).dtype == torch.bfloat16
    losses = make()(*batch, mode='loss')
    for name, value in model(*batch, mode='loss').items():
        torch.testing.assert_close(value, losses[name], rtol=0.05, atol=0.05)


def test_input_size_of_its_own(make, batch):
    model = make(input_size=(24, 20))
    assert features_of(model, batch).shape[2:] == (6, 5)
    assert [s['head'].fam.size for s in model.distiller.stages[:3]] == [
        (24, 20),
        (12, 10),
        (6, 5),
    ]


@pytest.mark.parametrize(
    ('option', 'value', 'message'),
    [
        ('dtype', 'int8', "dtype='int8' is no precision; choose float32, bfloat16"),
        ('dtype', 'half16', "dtype='half16' is no precision"),
        ('dtype', 'float8_e4m3fn', "dtype='float8_e4m3fn' is no precision"),
        ('input_size', 0, 'input_size=0 must be a height and a width'),
        ('input_size', [32, 'x'], r"input_size=\[32, 'x'\] must be"),
        ('input_size', [224], r'input_size=\[224\] must be'),
        ('input_size', True, 'input_size=True must be'),
        ('compile', 'no', "compile='no' must be True or False"),
        ('channel_last', True, "there is no 'channel_last'; choose from channels_last"),
    ],
)
def test_option_that_is_none(option, value, message, make):
    with pytest.raises(ValueError, match=f'teacher_options: {message}'):
        make(**{option: value})


@pytest.mark.parametrize(
    ('source', 'norm', 'is_folded'),
    [
        ('backbone.layer1.0.conv1', 'layer1.0.bn1', False),
        ('backbone.layer1.0.bn1', 'layer1.0.bn1', False),
        (
            dict(type='ModuleInputs', source='backbone.layer1.0.bn1'),
            'layer1.0.bn1',
            False,
        ),
        (dict(type='ModuleInputs', source='backbone.layer1.0.conv1'), 'bn1', True),
    ],
)
def test_recorded_features_are_not_folded(source, norm, is_folded, make, batch):
    stages = dict(student_stages=['backbone.layer1'], teacher_stages=[source])
    model = make(stages)
    losses = model(*batch, mode='loss')
    torch.testing.assert_close(losses, make(stages, fuse_bn=False)(*batch, mode='loss'))
    assert (f'backbone.{norm}' not in norms_of(model.teacher)) == is_folded


# Which teacher it is.


def saved(model):
    """The model's state after a checkpoint file."""
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_training_goes_on_with_the_same_teacher(distillation, build, batch):
    state = saved(build(distillation()))
    again = build(distillation())
    again.load_state_dict(state)
    again.train()(*batch, mode='loss')


def test_another_teacher_is_an_error_that_names_both(
    distillation, build, batch, tmp_path
):
    model = build(distillation())
    torch.save({'state_dict': model.teacher.state_dict()}, tmp_path / 'first.pth')
    torch.nn.init.ones_(model.teacher.head.fc.bias)
    torch.save({'state_dict': model.teacher.state_dict()}, tmp_path / 'second.pth')
    first, second = (
        {**distillation(), 'teacher_ckpt': str(tmp_path / f'{name}.pth')}
        for name in ('first', 'second')
    )
    state = saved(build(first))
    other = build(second).train()
    other.load_state_dict(state)
    with pytest.raises(
        ValueError, match=r'second\.pth.* is another teacher than .*first\.pth'
    ):
        other(*batch, mode='loss')
    other = build({**second, 'allow_other_teacher': True}).train()
    other.load_state_dict(state)
    other(*batch, mode='loss')


def test_old_checkpoints_with_the_teacher_inside(distillation, build, batch):
    model = build(distillation())
    teacher = {f'teacher.{key}': x for key, x in model.teacher.state_dict().items()}
    old = {k: x for k, x in model.state_dict().items() if k != '_extra_state'}
    again = build(distillation()).train()
    result = again.load_state_dict({**old, **teacher}, strict=False)
    assert not result.unexpected_keys
    assert result.missing_keys == ['_extra_state']
    again(*batch, mode='loss')
    teacher['teacher.head.fc.bias'] = teacher['teacher.head.fc.bias'] + 1
    again.load_state_dict({**old, **teacher}, strict=False)
    with pytest.raises(ValueError, match="teacher than that of the checkpoint, 'in"):
        again(*batch, mode='loss')
