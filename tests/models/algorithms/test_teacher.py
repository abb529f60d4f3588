"""The teacher as a guest: how it runs, and where it is not."""

import copy
import io
from functools import partialmethod

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn


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


def test_teacher_follows_the_images_to_their_device(model, batch):
    # The second device that every machine has.
    model.guest.record(batch[0].to('meta'), None)
    assert next(model.teacher.parameters()).device.type == 'meta'


# Its options.


@pytest.mark.parametrize('option', ['channels_last', 'compile'])
def test_acceleration_changes_no_result(option, make, model, batch):
    losses = make(**{option: True})(*batch, mode='loss')
    torch.testing.assert_close(losses, model(*batch, mode='loss'))


def test_the_whole_teacher_is_compiled_once(make, batch, monkeypatch):
    graphs = []

    def backend(graph, inputs):
        graphs.append([node for node in graph.graph.nodes if 'call' in node.op])
        return graph

    compile_graph = partialmethod(nn.Module.compile, backend=backend)
    monkeypatch.setattr(nn.Module, 'compile', compile_graph)
    model = make(compile=True)
    assert not graphs  # not for the one image with which stages are built
    for _ in range(2):
        model(*batch, mode='loss')
    (graph,) = graphs
    assert len(graph) > 30


def test_layout(make, batch):
    features = features_of(make(channels_last=True), batch)
    assert features.is_contiguous(memory_format=torch.channels_last)


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


# Its BN, folded when the weights are initialised.


@pytest.fixture
def initialised(make):
    """Function (stages, **teacher_options): as at the start of a training."""

    def initialised(stages=(), **options):
        model = make(stages, **options)
        for module in model.teacher.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
        model.init_weights()
        return model

    return initialised


def norms_of(network):
    """Names of its BN."""
    return {
        name
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d)
    }


@pytest.mark.parametrize('options', [{}, dict(channels_last=True)])
def test_folding_changes_no_result(options, initialised, batch):
    plain, folded = (initialised(fuse_bn=x, **options) for x in (False, True))
    assert norms_of(plain.teacher) and not norms_of(folded.teacher)
    losses = [model(*batch, mode='loss') for model in (plain, folded)]
    torch.testing.assert_close(*losses)


def test_folding_does_not_shift_the_random_numbers(initialised):
    numbers = []
    for fuse_bn in (False, True):
        initialised(fuse_bn=fuse_bn)
        numbers.append(torch.rand(1))
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    ('source', 'stays'),
    [
        ('backbone.layer1.0.conv1', True),
        ('backbone.layer1.0.bn1', True),
        (dict(type='ModuleInputs', source='backbone.layer1.0.bn1'), True),
        ('backbone.layer1.0.conv2', False),
    ],
)
def test_recorded_modules_are_not_folded(source, stays, initialised, batch):
    stages = dict(student_stages=['backbone.layer1'], teacher_stages=[source])
    plain, folded = (initialised(stages, fuse_bn=x) for x in (False, True))
    losses = [model(*batch, mode='loss') for model in (plain, folded)]
    torch.testing.assert_close(*losses)
    left = norms_of(folded.teacher)
    assert ('backbone.layer1.0.bn1' in left) == stays
    assert 'backbone.bn1' not in left and 'backbone.layer2.0.bn1' in left


def test_with_a_checkpoint_it_is_folded_before_copies_are_made(
    distillation, build, tmp_path
):
    path = tmp_path / 'teacher.pth'
    torch.save(build(distillation()).teacher.state_dict(), path)
    model = build({**distillation(), 'teacher_ckpt': str(path)})
    assert not norms_of(model.teacher)
    twin = copy.deepcopy(model)
    model.init_weights()
    pairs = zip(twin.teacher.parameters(), model.teacher.parameters(), strict=True)
    assert all(ours is theirs for ours, theirs in pairs)


def test_a_pass_that_fails_folds_nothing(make, monkeypatch):
    model = make()

    def fail(*_):
        raise TypeError('no ground truth')

    monkeypatch.setattr(model.teacher.backbone, 'forward', fail)
    model.init_weights()
    assert norms_of(model.teacher)


def test_an_image_that_the_teacher_cannot_take_folds_nothing(make):
    model = make()
    model.guest.fold_bn((4, 8, 8))
    assert norms_of(model.teacher)


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


def test_the_note_is_of_the_weights_before_they_are_folded(distillation, build, batch):
    torch.manual_seed(0)
    first, again = (build(distillation()).train() for _ in range(2))
    again.load_state_dict(saved(first))  # its teacher has the same weights
    again._fold_teacher()
    assert not norms_of(again.teacher)
    again(*batch, mode='loss')
    third = build(distillation()).train()
    third.load_state_dict(saved(again))
    third(*batch, mode='loss')


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
