import pytest

from famkd.checkpoint_keys import foreign_weights, read_weights, student_weights

DISTILLED = {'architecture.fc.weight': 1, 'teacher.fc.weight': 2, 'distiller.x': 3}


def test_student_of_a_distillation():
    assert student_weights(DISTILLED) == {'fc.weight': 1}
    assert student_weights({'fc.weight': 1}) == {}


def test_weights_of_any_checkpoint():
    parallel = {f'module.{key}': value for key, value in DISTILLED.items()}
    assert read_weights({'state_dict': parallel, 'meta': {}}) == DISTILLED
    assert read_weights(DISTILLED) == DISTILLED


def test_two_values_of_one_name():
    with pytest.raises(ValueError, match='both a.weight and module.a.weight'):
        read_weights({'a.weight': 1, 'module.a.weight': 2})


def test_weights_that_tell_of_another_network():
    modules = ('', 'backbone', 'backbone.layer1', 'backbone.layer1.0', 'head')
    known = [
        'auxiliary_head.0.conv.weight',
        'roi_head.bbox_head.fc.weight',
        'backbone.fc.weight',
        'backbone.AuxLogits.conv.weight',
        'head.head_dist.weight',
        'ema_backbone_conv_weight',
        'data_preprocessor.mean',
        'neck.convs.0.weight',
        'backbone.mask_token',
        '_extra_state',
    ]
    foreign = [
        'backbone.layer1.1.conv.weight',
        'backbone.layer2.0.conv.weight',
        'head.fc2.weight',
        'backbone.layer1.0.extra',
        'layer5.weight',
    ]
    assert foreign_weights([*known, *foreign], modules) == foreign
