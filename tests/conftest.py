"""What several tests need: small networks, and images of random numbers."""

import os

# Small tensors gain nothing from threads, and on a busy machine each operation would
# wait for its threads. Before torch is imported; for the programs that tests start, too.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import pytest  # noqa: E402
import torch  # noqa: E402


def _classifier(channels, depth=8, **backbone):
    """Config of a CIFAR ResNet for 4 classes; stages of 1, 2 and 4 times channels."""
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(
            type='CIFARResNet',
            depth=depth,
            stem_channels=channels,
            base_channels=channels,
            **backbone,
        ),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=4, in_channels=4 * channels),
    )


@pytest.fixture(scope='session')
def classifier():
    """Function (channels, depth=8, **backbone): config of a small classifier."""
    return _classifier


@pytest.fixture(scope='session')
def distillation():
    """Function (**distiller): config of FAM-KD between small classifiers.

    On images of 16x16: stages of 16x16, 8x8, 4x4 with 8, 16, 32 channels (student)
    or 12, 24, 48 channels (teacher), and the pooled vectors.
    """

    def make(**distiller):
        stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck']
        return dict(
            type='mmrazor.FeatureDistill',
            architecture=_classifier(8),
            teacher=_classifier(12),
            allow_random_teacher=True,
            input_shape=(3, 16, 16),
            distiller={
                'type': 'ReviewDistiller',
                'student_stages': stages,
                'teacher_stages': stages,
                'fusion': dict(type='CrossAttentionFusion'),
                'head': dict(type='FAMHead'),
                'loss': dict(type='StageMSELoss'),
                **distiller,
            },
        )

    return make


@pytest.fixture(scope='session')
def build():
    """Function (config): the model, from a fixed seed."""
    import famkd.models  # noqa: F401 (makes MMRazor importable)
    from mmrazor.registry import MODELS  # isort: skip

    def make(config):
        torch.manual_seed(0)
        return MODELS.build(config)

    return make


@pytest.fixture
def batch():
    """4 images of 16x16 and their labels, as a model takes them."""
    from mmpretrain.structures import DataSample

    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 3, 16, 16, generator=generator)
    return images, [DataSample().set_gt_label(label) for label in range(4)]
