"""Prompt tuning: what moves, what the network sees, and what is refused."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.model import BaseModel
from torch import nn

from famkd.layers import mask_overlap, prompted_map
from famkd.models import PromptTuning


class Neck(nn.Module):
    """Two maps, the second half as large."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(4, 6, 1), nn.Conv2d(4, 5, 1, stride=2)])

    def forward(self, x):
        return tuple(conv(x) for conv in self.convs)


class Network(BaseModel):
    """A backbone with BN, a neck of two maps, and a head that sums them up."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
        )
        self.neck = Neck()
        self.head = nn.ModuleList([nn.Conv2d(6, 1, 1), nn.Conv2d(5, 1, 1)])

    def forward(self, inputs, data_samples=None, mode='tensor'):
        maps = self.neck(self.backbone(inputs))
        outs = [conv(x) for conv, x in zip(self.head, maps, strict=True)]
        if mode != 'loss':
            return outs
        return {'loss': sum((out - 1).square().mean() for out in outs)}


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('teacher') / 'teacher.pth'
    torch.manual_seed(0)
    torch.save(dict(state_dict=Network().state_dict()), path)
    return str(path)


@pytest.fixture
def make(checkpoint):
    """Function (**options): a prompt tuning of that network."""

    def make(teacher_ckpt=checkpoint, **options):
        torch.manual_seed(1)
        return PromptTuning(
            Network(), teacher_ckpt, **{'input_shape': (3, 16, 12), **options}
        )

    return make


@pytest.fixture
def images():
    return torch.randn(2, 3, 26, 18, generator=torch.Generator().manual_seed(0))


def randomize(model):
    """Gives the prompts values that mask something."""
    for prompt in model.prompts:
        nn.init.normal_(prompt.prompt)


def test_every_map_gets_prompts_of_its_channels(make):
    model = make(num_prompts=3, levels=2)
    assert [p.prompt.shape for p in model.prompts] == [(3, 3, 6), (3, 3, 5)]


def test_prompts_move_and_nothing_else_does(make, images):
    model = make().train()
    assert [name for name, _ in model.named_parameters()] == [
        'prompts.0.prompt',
        'prompts.1.prompt',
    ]
    teacher = copy.deepcopy(model.teacher.state_dict())
    prompts = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(2):
        total, _ = model.parse_losses(model(images, mode='loss'))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    for name, value in model.teacher.state_dict().items():
        assert torch.equal(value, teacher[name]), name
    assert all(p.grad is None for p in model.teacher.parameters())
    for i in range(2):
        assert not torch.equal(model.prompts[i].prompt, prompts[f'prompts.{i}.prompt'])


def test_all_that_follows_sees_the_prompted_maps(make, images):
    model = make()
    randomize(model)
    network = model.teacher
    maps = network.neck(network.backbone(images))
    expected = [
        head(prompted_map(x, prompt.masks(x)))
        for head, x, prompt in zip(network.head, maps, model.prompts, strict=True)
    ]
    for mode in ('tensor', 'predict'):
        for ours, out in zip(model(images, mode=mode), expected, strict=True):
            torch.testing.assert_close(ours, out)
    for ours, out in zip(network(images), expected, strict=True):
        assert not torch.allclose(ours, out)


def test_a_random_teacher_is_initialised_and_another_is_not(make, monkeypatch):
    initialised = []
    monkeypatch.setattr(Network, 'init_weights', lambda self: initialised.append(self))
    make().init_weights()
    make(None, allow_random_teacher=True).init_weights()  # of a network as it is
    assert not initialised
    options = dict(allow_random_teacher=True, input_shape=(3, 16, 12))
    random = PromptTuning(dict(type=Network), **options)
    random.init_weights()
    assert initialised == [random.teacher]


def test_masks_of_an_image(make, images):
    model = make()
    randomize(model)
    maps = model.teacher.neck(model.teacher.backbone(images))
    for masks, prompt, x in zip(model.masks(images), model.prompts, maps, strict=True):
        for ours, expected in zip(masks, prompt.masks(x), strict=True):
            torch.testing.assert_close(ours, expected)


def test_one_map_of_a_module_can_be_prompted(make, images):
    model = make(source='backbone')
    randomize(model)
    network = model.teacher
    x = network.backbone(images)
    maps = network.neck(prompted_map(x, model.prompts[0].masks(x)))
    torch.testing.assert_close(model(images)[0], network.head[0](maps[0]))


@pytest.mark.parametrize('kind', ['jaccard', 'dice'])
def test_the_loss_is_that_of_the_task_and_the_overlap(make, images, kind):
    model = make(overlap=kind, overlap_weight=0.5)
    randomize(model)
    maps = model.teacher.neck(model.teacher.backbone(images))
    masks = [p.masks(x) for p, x in zip(model.prompts, maps, strict=True)]
    overlap = sum(mask_overlap(m, kind) for m in masks)
    task = sum((out - 1).square().mean() for out in model(images))
    total, log = model.parse_losses(model(images, mode='loss'))
    torch.testing.assert_close(total, task + 0.5 * overlap)
    torch.testing.assert_close(log['overlap'], overlap / 8)
    torch.testing.assert_close(
        log['mask_level1'], (masks[0][1].mean() + masks[1][1].mean()) / 2
    )
    assert {'mask_low', 'mask_level2', 'mask_level3'} <= set(log)


def test_prompts_start_half_open_and_alike(make, images):
    losses = make()(images, mode='loss')
    assert losses['overlap'] == pytest.approx(1, abs=0.02)
    assert losses['mask_low'] == pytest.approx(0.5, abs=0.05)


def test_no_gradient_goes_below_the_source(make, images):
    model = make()
    images.requires_grad_()
    model.parse_losses(model(images, mode='loss'))[0].backward()
    assert images.grad is None


def test_bn_stays_in_eval_mode_and_heads_train(make):
    model = make().train()
    assert model.teacher.training
    assert not any(module.training for module in model.teacher.children())
    assert not any(module.training for module in model.eval().teacher.modules())


def test_the_checkpoint_is_the_prompts_and_who_the_teacher_was(make):
    model = make()
    weights = model.state_dict()
    assert list(weights) == ['_extra_state', 'prompts.0.prompt', 'prompts.1.prompt']
    other = make()
    randomize(other)
    other.load_state_dict(weights)
    assert torch.equal(other.prompts[1].prompt, model.prompts[1].prompt)


def test_the_teacher_moves_along(make):
    assert next(make().double().teacher.parameters()).dtype == torch.float64


def test_half_precision(make, images):
    model = make()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        total, _ = model.parse_losses(model(images, mode='loss'))
    total.backward()
    assert model.prompts[0].prompt.grad.isfinite().all()


def test_prompts_of_another_teacher_are_refused(make, tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(Network().state_dict(), path)
    with pytest.raises(ValueError, match=r"on '.*other.pth'.*teacher_ckpt is '.*teach"):
        make().load_state_dict(make(str(path)).state_dict())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_prompts=1), 'num_prompts=1, but overlap_weight=1.0'),
        (dict(overlap='iou'), "overlap='iou': use jaccard or dice"),
        (dict(overlap_weight=-1.0), 'overlap_weight=-1.0 must be a number of at'),
        (dict(overlap_weight=float('nan')), 'overlap_weight=nan must be'),
        (dict(levels=2.5), 'levels=2.5 of FrequencyPrompt must be a whole number'),
        (dict(source=None), 'source: None is no module of the teacher'),
        (dict(source='nek'), "source: 'nek' is no module of the teacher .*near.*neck"),
        (dict(teacher_ckpt=None), 'teacher_ckpt=None would'),
    ],
)
def test_bad_options(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_one_prompt_without_overlap(make, images):
    losses = make(num_prompts=1, overlap_weight=0)(images, mode='loss')
    assert losses['loss_overlap'] == 0


def test_a_source_that_gives_no_maps(checkpoint):
    class Vector(Network):
        def __init__(self):
            super().__init__()
            self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())

        def forward(self, inputs, data_samples=None, mode='tensor'):
            self.pool(inputs)
            return super().forward(inputs, data_samples, mode)

    with pytest.raises(ValueError, match="source='pool' .*gives no maps.*a Tensor"):
        PromptTuning(Vector(), checkpoint, source='pool', input_shape=(3, 8, 8))


class Aside(nn.Module):
    """Gives its input so many times at each call."""

    def __init__(self, *counts):
        super().__init__()
        self.counts = list(counts)

    def forward(self, x):
        return (x,) * self.counts.pop(0)


@pytest.mark.parametrize(
    ('counts', 'message'),
    [
        ([0], 'gives no maps .N, C, H, W., but a tuple'),
        ([2, 1], 'gives 1 maps, but gave 2 for an image of input_shape'),
        ([1, 1], "source='aside': the loss of the teacher does not depend on its maps"),
    ],
)
def test_a_source_of_no_use(checkpoint, images, counts, message):
    class WithAside(Network):
        def __init__(self):
            super().__init__()
            self.aside = Aside(*counts)

        def forward(self, inputs, data_samples=None, mode='tensor'):
            self.aside(inputs)
            return super().forward(inputs, data_samples, mode)

    options = dict(source='aside', overlap_weight=0, input_shape=(3, 8, 8))
    with pytest.raises(ValueError, match=message):
        PromptTuning(WithAside(), checkpoint, **options)(images, mode='loss')


def test_a_source_that_is_not_reached_without_ground_truth(checkpoint):
    class TwoStage(Network):
        def forward(self, inputs, data_samples=None, mode='tensor'):
            self.neck(self.backbone(inputs))
            return [self.head(sample) for sample in data_samples]

    with pytest.raises(ValueError, match="source='head.0': without ground truth.*Type"):
        PromptTuning(TwoStage(), checkpoint, source='head.0', input_shape=(3, 8, 8))


def test_a_source_that_does_not_run(checkpoint):
    class Idle(Network):
        def __init__(self):
            super().__init__()
            self.idle = nn.Identity()

    with pytest.raises(ValueError, match="source='idle' .*gives no maps"):
        PromptTuning(Idle(), checkpoint, source='idle', input_shape=(3, 8, 8))


def test_a_segmentor_is_tuned_on_one_map():
    mmseg = pytest.importorskip('mmseg')
    from mmengine.config import Config
    from mmengine.registry import DefaultScope
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    configs = Path(mmseg.__file__).parent / '.mim/configs'
    teacher = Config.fromfile(configs / '_base_/models/fcn_r50-d8.py').model
    teacher.backbone.update(depth=18, base_channels=8, init_cfg=None)
    teacher.decode_head.update(in_channels=64, channels=8, num_classes=3)
    teacher.update(auxiliary_head=None, pretrained=None)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = PromptTuning(
            teacher,
            source='backbone.layer4',
            allow_random_teacher=True,
            input_shape=(3, 32, 32),
        ).train()
    sample = SegDataSample(metainfo=dict(img_shape=(32, 48)))
    sample.gt_sem_seg = PixelData(data=torch.randint(0, 3, (1, 32, 48)))
    losses = model(torch.randn(1, 3, 32, 48), [sample], mode='loss')
    model.parse_losses(losses)[0].backward()
    assert [p.prompt.shape for p in model.prompts] == [(4, 2, 64)]
    assert model.prompts[0].prompt.grad.any()
