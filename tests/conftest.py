"""What several tests need: small networks, and images of random numbers."""

import os

# Small tensors gain nothing from threads, and on a busy machine each operation would
# wait for its threads. Before torch is imported; also for programs that tests start.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import json  # noqa: E402
import sys  # noqa: E402
from functools import cache  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402

pytest_plugins = ['run_fixtures', 'tool_fixtures', 'training_fixtures']


def _clear_default_scope():
    if 'mmengine.registry' in sys.modules:
        sys.modules['mmengine.registry'].DefaultScope._instance_dict.clear()


@pytest.fixture(autouse=True)
def no_default_scope():
    """No test finds the default scope that a runner of another test has left.

    Nor does a fixture of the session, which is made before this one.
    """
    _clear_default_scope()
    yield
    _clear_default_scope()


@pytest.fixture(scope='session', autouse=True)
def quick_configs():
    """Configs without what takes most of the time of a short training.

    MMEngine reads all model indexes of a package for every ``package::config``, and
    has yapf lay out the text of a config whenever it is logged, saved or dumped.
    """
    import yapf.yapflib.yapf_api
    from mmengine.config import utils

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, 'load', cache(utils.load))
        patch.setattr(
            yapf.yapflib.yapf_api, 'FormatCode', lambda text, **style: (text, True)
        )
        yield


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


@pytest.fixture(scope='session')
def shapes_coco(tmp_path_factory):
    """Folder of a COCO data set: 12 images of boxes and discs, of three sizes.

    ``images/*.png`` and ``shapes.json``, with boxes and masks.
    """
    import cv2
    import numpy as np

    root = tmp_path_factory.mktemp('shapes')
    (root / 'images').mkdir()
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(12):
        height, width = [(64, 96), (80, 80), (96, 56)][i % 3]
        image = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
        for category in (1, 2):
            side = int(rng.integers(16, 28))
            x, y = (int(rng.integers(0, n - side)) for n in (width, height))
            mask = np.zeros((height, width), np.uint8)
            if category == 1:
                cv2.rectangle(mask, (x, y), (x + side - 1, y + side - 1), 1, -1)
            else:
                cv2.circle(mask, (x + side // 2, y + side // 2), side // 2 - 1, 1, -1)
            image[mask > 0] = rng.integers(120, 255, 3)
            outline = cv2.findContours(mask, 0, 2)[0][0].flatten().tolist()
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=i,
                    category_id=category,
                    bbox=[x, y, side, side],
                    area=int(mask.sum()),
                    iscrowd=0,
                    segmentation=[outline],
                )
            )
        name = f'{i}.png'
        cv2.imwrite(str(root / 'images' / name), image)
        images.append(dict(id=i, file_name=name, width=width, height=height))
    categories = [dict(id=1, name='box'), dict(id=2, name='disc')]
    content = dict(images=images, annotations=annotations, categories=categories)
    (root / 'shapes.json').write_text(json.dumps(content))
    return root
