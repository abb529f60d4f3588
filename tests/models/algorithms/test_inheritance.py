import pytest
import torch


@pytest.fixture
def make(distillation, classifier, build, tmp_path):
    """Function (inherit, student channels): a distillation from 12 channels."""
    teacher = build(classifier(12)).state_dict()
    for value in teacher.values():
        if value.is_floating_point():
            value.uniform_(0.5, 1)
    torch.save(teacher, tmp_path / 'teacher.pth')

    def make(inherit, channels=12):
        config = distillation()
        config['architecture'] = classifier(channels)
        config['teacher_ckpt'] = str(tmp_path / 'teacher.pth')
        config['teacher_options'] = dict(fuse_bn=False)  # to compare the weights
        model = build({**config, 'inherit': inherit})
        model.init_weights()
        return model

    return make


def shared(student, teacher):
    """Names of the weights that are the same in both."""
    theirs = teacher.state_dict()
    return {
        name
        for name, value in student.state_dict().items()
        if name in theirs and value.is_floating_point()
        if value.shape == theirs[name].shape and torch.equal(value, theirs[name])
    }


def test_inherited_modules_start_as_the_teachers(make):
    model = make(['head', 'backbone.layer1'])
    names = shared(model.student, model.teacher)
    assert {'head.fc.weight', 'head.fc.bias'} <= names
    assert any(name.startswith('backbone.layer1') for name in names)
    assert not any(name.startswith('backbone.layer2') for name in names)


def test_nothing_is_inherited_unless_asked(make):
    model = make([])
    assert not shared(model.student, model.teacher)


def test_only_what_fits_is_inherited(make):
    # The last layer of the head has 4 outputs in both, but other inputs.
    model = make(['head'], channels=8)
    assert shared(model.student, model.teacher) == {'head.fc.bias'}


def test_student_learns_without_touching_the_teacher(make):
    model = make(['head'])
    before = model.teacher.head.fc.weight.clone()
    with torch.no_grad():
        model.student.head.fc.weight.add_(1)
    assert torch.equal(model.teacher.head.fc.weight, before)


def test_no_such_module(make):
    with pytest.raises(ValueError, match="inherit: 'heads' is no module of the st.*he"):
        make(['heads'])


def test_nothing_fits(make):
    with pytest.raises(ValueError, match="inherit='backbone.conv1': no weight"):
        make(['backbone.conv1'], channels=8)
