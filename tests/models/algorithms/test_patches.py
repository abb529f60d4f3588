"""Vision transformers without a head as teachers, and the images they take."""

from functools import partialmethod

import pytest
import torch
from torch import nn

from famkd.models.algorithms.networks import build_network
from famkd.models.algorithms.patches import Patches
from famkd.models.algorithms.teacher_weights import load_teacher

ARCH = dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64)
NORMALIZATION = dict(
    type='mmpretrain.ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3
)


def headless(**backbone):
    """A network without a head, as mmpretrain ships DINOv2 and SAM's encoder."""
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=backbone,
        head=None,
        data_preprocessor=NORMALIZATION,
    )


def vit(**changes):
    return headless(
        **{
            'type': 'VisionTransformer',
            'arch': ARCH,
            'img_size': 28,
            'patch_size': 14,
            'layer_scale_init_value': 1e-5,
            **changes,
        }
    )


def sam():
    return headless(
        type='ViTSAM',
        arch=dict(**ARCH, global_attn_indexes=[1]),
        img_size=32,
        patch_size=16,
        out_channels=8,
        window_size=2,
    )


def timm(**options):
    return headless(
        type='TIMMBackbone',
        model_name='vit_tiny_patch16_224',
        embed_dim=32,
        depth=2,
        num_heads=2,
        **{'img_size': 32, **options},
    )


@pytest.fixture
def distil(distillation, build):
    """Function (teacher, stages, **options): the losses of a step with its teacher."""

    def distil(teacher, stages, size=(16, 16), **options):
        config = distillation(
            student_stages=['backbone.layer2', 'backbone.layer3'],
            teacher_stages=stages,
            head=dict(type='FAMHead', with_relu=False, rank=4),
        )
        model = build(
            {
                **config,
                'teacher': teacher,
                'teacher_options': options,
                'input_shape': (3, *size),
            }
        ).train()
        images = torch.randn(2, 3, *size)
        read = model.distiller.stage_losses

        def stage_losses(students, teachers, targets):
            model.maps = [tuple(t.shape[1:]) for t in teachers]
            return read(students, teachers, targets)

        model.distiller.stage_losses = stage_losses
        model.calculate_student_loss = False
        losses = model(images, None, mode='loss')
        assert all(value.isfinite() for value in losses.values())
        return model

    return distil


TEACHERS = {
    # Two blocks, and the norm at the end; position embeddings are interpolated.
    'vit': (vit(), ['backbone.layers.0', 'backbone.ln1'], (42, 42), [(32, 3, 3)] * 2),
    'featmap': (
        vit(out_type='featmap', out_indices=[0, 1]),
        [dict(source='backbone', data_idx=i) for i in (0, 1)],
        (28, 56),
        [(32, 2, 4)] * 2,
    ),
    'sam': (
        sam(),
        [dict(source='backbone.layers.0', channels_last=True), 'backbone'],
        (48, 32),
        [(32, 3, 2), (8, 3, 2)],
    ),
    'timm': (
        timm(dynamic_img_size=True),
        ['backbone.timm_model.blocks.0', 'backbone'],
        (48, 48),
        [(32, 3, 3)] * 2,
    ),
}


@pytest.mark.parametrize('name', TEACHERS)
def test_a_backbone_alone_teaches_at_its_own_size(name, distil):
    teacher, stages, size, maps = TEACHERS[name]
    model = distil(teacher, stages, input_size=size, dtype='bfloat16')
    assert model.maps == maps


def test_every_block_is_recorded_when_compiled(distil, monkeypatch):
    # The graphs alone: kernels would take half a minute.
    compile_graph = partialmethod(nn.Module.compile, backend='eager')
    monkeypatch.setattr(nn.Module, 'compile', compile_graph)
    stages = ['backbone.layers.1.ln1', 'backbone.ln1']
    model = distil(vit(), stages, input_size=28, compile=True)
    assert model.maps == [(32, 2, 2)] * 2


def test_images_of_changing_sizes_are_scaled_to_whole_patches(distil):
    teacher, stages, *_ = TEACHERS['featmap']
    model = distil(teacher, stages, size=(16, 32), input_scale=0.875)
    assert model.maps == [(32, 1, 2)] * 2
    patches = Patches(build_network(vit()))
    assert patches.nearest((800 * 0.875, 1344 * 0.875)) == (700, 1176)
    assert patches.nearest((3, 20)) == (14, 14)


@pytest.mark.parametrize('options', [dict(input_size=30), dict()])
def test_images_that_are_no_multiple_of_the_patch(options, distil):
    teacher, stages, *_ = TEACHERS['vit']
    with pytest.raises(
        ValueError,
        match=r'no multiples of the patch of the teacher, 14x14; set input_s',
    ):
        distil(teacher, stages, **options)


@pytest.mark.parametrize('options', [dict(), dict(input_scale=3)])
def test_a_network_of_one_size_says_which(options, distil):
    with pytest.raises(ValueError, match=r'takes 32x32 only; set input_size=\(32, 32'):
        distil(timm(), ['backbone', 'backbone'], **options)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(input_scale=0), 'input_scale=0 must be a factor above 0'),
        (dict(input_scale='half'), "input_scale='half' must be"),
        (dict(input_scale=True), 'input_scale=True must be'),
        (dict(input_scale=float('inf')), 'input_scale=inf must be'),
        (dict(input_scale=0.5, input_size=28), 'exclude each other; leave one out'),
    ],
)
def test_scale_that_is_none(options, message, distil):
    teacher, stages, *_ = TEACHERS['featmap']
    with pytest.raises(ValueError, match=f'teacher_options: .*{message}'):
        distil(teacher, stages, **options)


def test_tokens_that_are_no_map(distil):
    with pytest.raises(ValueError, match='gives 7 tokens, which is neither a square'):
        distil(vit(), ['backbone.layers.0', 'backbone.ln1'], input_size=(28, 42))


def test_networks_without_patches_take_every_size():
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    patches = Patches(network)
    patches.check((5, 7))
    assert patches.size == (1, 1)


def test_a_backbone_by_itself_says_how_it_becomes_a_network():
    with pytest.raises(
        ValueError, match='ImageClassifier.*VisionTransformer.*head=Non'
    ):
        build_network(vit()['backbone'] | dict(type='mmpretrain.VisionTransformer'))


@pytest.mark.parametrize('prefix', ['', 'backbone.'])
def test_checkpoint_of_the_backbone_and_of_another_input_size(prefix, tmp_path):
    small, large = (build_network(vit(img_size=size)) for size in (28, 56))
    nn.init.normal_(small.backbone.pos_embed)
    weights = {f'{prefix}{k}': v for k, v in small.backbone.state_dict().items()}
    torch.save(weights, tmp_path / 'vit.pth')
    load_teacher(large, str(tmp_path / 'vit.pth'))
    assert torch.equal(large.backbone.cls_token, small.backbone.cls_token)
    assert large.backbone.pos_embed.shape == (1, 17, 32)
    assert large.backbone.pos_embed.std() > 0.3  # interpolated, not left at random
