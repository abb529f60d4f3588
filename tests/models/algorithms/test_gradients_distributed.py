"""Two processes with half of the batch each compute what one does with all of it."""

import os

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import DefaultScope
from spawn_two import in_two_processes
from torch import nn
from torch.distributed.nn.functional import all_reduce

FPN = [dict(source='neck', data_idx=i) for i in range(5)]


class AllReduceBN(nn.BatchNorm2d):
    """BN over the batches of all processes.

    In the place of ``torch.nn.SyncBatchNorm``, which computes the same but refuses
    tensors on the CPU.
    """

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        world = dist.get_world_size()
        # one vector for both, so that the processes reduce in the same order
        sums = torch.cat([x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))])
        mean, square = (all_reduce(sums) / world).chunk(2)
        variance = square - mean * mean
        x = (x - mean[:, None, None]) * (variance + self.eps).rsqrt()[:, None, None]
        return x * self.weight[:, None, None] + self.bias[:, None, None]


def classifier_batch(indices):
    from mmpretrain.structures import DataSample

    images = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    samples = [DataSample().set_gt_label(i % 4) for i in indices]
    return dict(inputs=images[indices].double(), data_samples=samples)


def detector_batch(indices):
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    images = torch.randn(4, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    samples = []
    for i in indices:
        x = 4.0 + 6 * i
        boxes = torch.tensor([[x, 8, x + 30, 40], [20, 20, 60 + x, 60]]).double()
        sample = DetDataSample(
            gt_instances=InstanceData(bboxes=boxes, labels=torch.tensor([i % 3, 0])),
            metainfo=dict(
                img_shape=(64, 96), pad_shape=(64, 96), batch_input_shape=(64, 96)
            ),
        )
        samples.append(sample)
    return dict(inputs=images[indices].double(), data_samples=samples)


BATCHES = dict(
    mmpretrain=(classifier_batch, range(8)), mmdet=(detector_batch, range(4))
)


def gradients(configs):
    """Loss and gradients of a step, by name of config; of all processes together."""
    import famkd.models  # noqa: F401 (makes MMRazor importable)
    from mmrazor.registry import MODELS  # isort: skip

    is_one_of_two = 'RANK' in os.environ
    if is_one_of_two:
        dist.init_process_group('gloo')
    results = {}
    for name, (scope, config) in configs.items():
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope(scope):
            model = MODELS.build(config).train().double()
        make_batch, indices = BATCHES[scope]
        if is_one_of_two:
            for module in model.modules():
                if type(module) is nn.BatchNorm2d:
                    module.__class__ = AllReduceBN
            indices = indices[dist.get_rank() :: 2]
            wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
        else:
            wrapped = model
        total, log = model.parse_losses(
            wrapped(**make_batch(list(indices)), mode='loss')
        )
        total.backward()
        results[name] = {
            'total': total.item(),
            **{k: p.grad for k, p in model.named_parameters() if p.requires_grad},
        }
    return results


def fcos(base_channels):
    """Config of a thin FCOS, with BN in its backbone that is trained."""
    config = Config.fromstring(
        "_base_ = 'mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py'", '.py'
    ).model
    config.backbone.update(
        depth=18,
        base_channels=base_channels,
        init_cfg=None,
        frozen_stages=-1,
        norm_eval=False,
        norm_cfg=dict(type='BN', requires_grad=True),
    )
    config.neck.update(
        in_channels=[base_channels * n for n in (1, 2, 4, 8)], out_channels=16
    )
    config.bbox_head.update(
        in_channels=16,
        feat_channels=16,
        num_classes=3,
        norm_cfg=dict(type='GN', num_groups=4, requires_grad=True),
    )
    return config.to_dict()


@pytest.fixture(scope='module')
def results(distillation, classifier, tmp_path_factory):
    """Loss and gradients of one process, and of each of two."""
    fam_reviewkd = distillation(fusion=dict(type='ABFusion'))
    famkd = distillation()
    famkd['teacher'] = classifier(12, depth=20)
    configs = dict(famkd=('mmpretrain', famkd), abf=('mmpretrain', fam_reviewkd))
    try:
        import mmdet  # noqa: F401
    except ImportError:
        pass
    else:
        detector = dict(
            type='mmrazor.FeatureDistill',
            architecture=fcos(8),
            teacher=fcos(16),
            allow_random_teacher=True,
            input_shape=(3, 64, 96),
            distiller=dict(
                type='ReviewDistiller',
                student_stages=FPN,
                teacher_stages=FPN,
                fusion=dict(type='CrossAttentionFusion'),
                head=dict(type='DynamicFAMHead', with_relu=False),
                loss=dict(type='StageMSELoss'),
            ),
        )
        configs['detector'] = ('mmdet', detector)
        prompts = dict(
            type='mmrazor.PromptTuning',
            teacher=fcos(8),
            allow_random_teacher=True,
            input_shape=(3, 64, 96),
        )
        configs['prompts'] = ('mmdet', prompts)
    folder = tmp_path_factory.mktemp('processes')
    return gradients(configs), in_two_processes(gradients, configs, folder)


@pytest.mark.parametrize('name', ['famkd', 'abf', 'detector', 'prompts'])
def test_gradients_are_those_of_the_whole_batch(name, results):
    one, (first, second) = results
    if name not in one:
        pytest.skip('mmdet is not installed')
    one, first, second = one[name], first[name], second[name]
    parts = first.pop('total'), second.pop('total')
    # Detectors add an epsilon of float32 to a count.
    assert sum(parts) / 2 == pytest.approx(one.pop('total'), rel=1e-8)
    assert parts[0] != parts[1]
    filters = [key for key in one if key.endswith('filter')]
    # Biases before a BN have the gradient zero: there, what is left is rounding.
    rounding = 1e-12 * max(gradient.norm() for gradient in one.values())
    for key, gradient in one.items():
        assert torch.equal(first[key], second[key]), key
        error = (first[key] - gradient).norm()
        assert error < 1e-5 * gradient.norm() + rounding, (key, error)
    if not filters:
        return
    # The real and the imaginary part of FAM's filters, but where the map is one pixel.
    assert all(one[key][..., 0].any() for key in filters)
    assert sum(one[key][..., 1].any().item() for key in filters) >= 3
