import pytest
from mmrazor.registry import MODELS
from torch import nn

import famkd.models  # noqa: F401
from famkd.models.algorithms.class_counts import check_class_counts


def logits(loss='KLDivergence', source='head.fc', **record):
    recorders = dict(logits=dict(type='ModuleOutputs', source=source))
    return dict(
        student_recorders=recorders,
        teacher_recorders=recorders,
        distill_losses=dict(loss_logits=dict(type=loss)),
        loss_forward_mappings=dict(
            loss_logits=dict(
                preds_S=dict(from_student=True, recorder='logits', **record),
                preds_T=dict(from_student=False, recorder='logits'),
            )
        ),
    )


@pytest.fixture
def build_with(distillation, classifier, build):
    """Function (teacher's number of classes, **distiller): the model."""

    def build_with(num_classes, **distiller):
        config = distillation(**distiller)
        config['teacher'] = classifier(12)
        config['teacher']['head']['num_classes'] = num_classes
        return build(config)

    return build_with


@pytest.mark.parametrize('source', ['head.fc', 'head'])
def test_other_classes(source, build_with):
    with pytest.raises(ValueError) as error:
        build_with(7, **logits(source=source))
    assert str(error.value) == (
        f'loss_logits compares class scores, but the student has 4 classes ({source}) '
        f'and the teacher has 7 classes ({source}); give both heads the same '
        'num_classes, or leave this loss out'
    )


@pytest.mark.parametrize('loss', ['ChannelWiseDivergence', 'PixelWiseDivergence'])
def test_scores_of_a_convolution(loss):
    student, teacher = (nn.ModuleDict(dict(conv=nn.Conv2d(8, k, 1))) for k in (11, 19))
    distiller = MODELS.build(
        dict(type='ConfigurableDistiller', **logits(loss, source='conv'))
    )
    with pytest.raises(ValueError, match=r'student has 11 classes .* teacher has 19'):
        check_class_counts(distiller, student, teacher)


def test_same_classes(build_with):
    build_with(4, **logits())


def test_features_are_no_classes(build_with):
    build_with(7)
    build_with(7, **logits(source='neck'))


def test_distances_between_images_need_no_classes(build_with):
    build_with(7, **logits('DistanceWiseRKD'))


def test_connector_may_change_the_number(build_with):
    distiller = logits(connector='fit')
    distiller['connectors'] = dict(fit=dict(type='TorchFunctionalConnector'))
    distiller['connectors']['fit'].update(function_name='relu', func_args={})
    build_with(7, **distiller)
