import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import ImgDataPreprocessor
from mmpretrain.models import ClsDataPreprocessor

from famkd.models.algorithms.normalization import teacher_normalization

PYTORCH = dict(mean=[123.7, 116.3, 103.5], std=[58.4, 57.1, 57.4], bgr_to_rgb=True)
CAFFE = dict(mean=[103.5, 116.3, 123.7], std=[1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ('student', 'teacher'),
    [(PYTORCH, CAFFE), (CAFFE, PYTORCH), (CAFFE, {**CAFFE, 'std': [2.0, 3.0, 4.0]})],
)
def test_each_network_gets_its_own_normalisation(student, teacher):
    student, teacher = ImgDataPreprocessor(**student), ImgDataPreprocessor(**teacher)
    pixels = torch.randint(256, (2, 3, 5, 4), dtype=torch.uint8)
    given = student({'inputs': list(pixels)})['inputs']
    expected = teacher({'inputs': list(pixels)})['inputs']
    renormalize = teacher_normalization(student, teacher, own=True)
    torch.testing.assert_close(renormalize(given), expected, rtol=1e-5, atol=1e-4)


def test_images_that_suit_both_are_left_alone(tmp_path):
    log = tmp_path / 'log'
    MMLogger.get_instance('normalization', log_file=str(log))
    images = torch.randn(2, 3, 4, 4)
    ours = ImgDataPreprocessor(**PYTORCH)
    theirs = ClsDataPreprocessor(PYTORCH['mean'], PYTORCH['std'], to_rgb=True)
    assert teacher_normalization(ours, theirs)(images) is images
    no_wishes = ImgDataPreprocessor()
    assert teacher_normalization(no_wishes, no_wishes)(images) is images
    assert not log.read_text()
    assert teacher_normalization(no_wishes, ours)(images) is images
    assert 'that of the student has no mean and std' in log.read_text()
    assert teacher_normalization(ours, no_wishes)(images) is images


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(mean=[0.0, 0.0, 0.0]), r'mean \[.*\] \(student\), \[0.0, 0.0, 0.0\] \('),
        (dict(std=[1.0, 1.0, 1.0]), r'std .* \[1.0, 1.0, 1.0\] \(teacher\)'),
        (dict(bgr_to_rgb=False), r'reverse channels True \(student\), False'),
        (dict(pad_size_divisor=32), r'pad_size_divisor 1 \(student\), 32'),
    ],
)
def test_networks_that_expect_other_images(change, message):
    student = ImgDataPreprocessor(**PYTORCH)
    teacher = ImgDataPreprocessor(**{**PYTORCH, **change})
    with pytest.raises(
        ValueError, match=f'{message}.*set model.teacher_options.own_normalization'
    ):
        teacher_normalization(student, teacher)


def test_in_a_distillation(distillation, build, batch):
    config = distillation()
    config['architecture']['data_preprocessor'] = dict(
        type='ClsDataPreprocessor', mean=[10.0, 20.0, 30.0], std=[2.0, 2.0, 2.0]
    )
    config['teacher']['data_preprocessor'] = dict(
        type='ClsDataPreprocessor', mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0]
    )
    with pytest.raises(ValueError, match='student and teacher differ: mean'):
        build(config)
    model = build({**config, 'teacher_options': dict(own_normalization=True)}).train()
    given = []
    model.teacher.backbone.register_forward_pre_hook(lambda _, args: given.append(args))
    model(*batch, mode='loss')
    mean = torch.tensor([10.0, 20.0, 30.0]).view(3, 1, 1)
    torch.testing.assert_close(given[0][0], 2 * batch[0] + mean)
