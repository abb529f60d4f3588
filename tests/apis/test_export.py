import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from famkd.apis.export import PixelsToProbabilities, check, write_weights

MEAN, STD = [10.0, 20.0, 30.0], [1.0, 2.0, 3.0]


def config_of(loader):
    pipeline = [dict(type=loader), dict(type='PackInputs')]
    return Config(dict(test_dataloader=dict(dataset=dict(pipeline=pipeline))))


def classifier(head='LinearClsHead', **preprocessor):
    pytest.importorskip('mmpretrain')
    import mmpretrain.models  # noqa: F401

    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(
            dict(
                type='ImageClassifier',
                backbone=dict(type='LeNet5', num_classes=-1),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type=head, num_classes=4, in_channels=120),
                data_preprocessor={
                    **dict(type='ClsDataPreprocessor', mean=MEAN, std=STD),
                    **preprocessor,
                },
            )
        )


@pytest.mark.parametrize('to_rgb', [False, True])
@pytest.mark.parametrize('loader', ['LoadImageFromFile', 'ResizeEdge'])
def test_takes_rgb_pixels_whatever_the_network_takes(loader, to_rgb):
    network = classifier(to_rgb=to_rgb)
    network.extract_feat = lambda x: (x.mean((2, 3)).repeat(1, 40),)
    network.eval()
    model = PixelsToProbabilities(network, config_of(loader))
    pixels = torch.rand(2, 3, 32, 32) * 255
    # The data set's images: as OpenCV reads them, or RGB of a set without files.
    images = pixels.flip(1) if loader == 'LoadImageFromFile' else pixels
    inputs = network.data_preprocessor(dict(inputs=images))['inputs']
    expected = network(inputs, mode='tensor').softmax(1)
    torch.testing.assert_close(model(pixels), expected)


def test_images_that_are_not_normalised():
    network = classifier(mean=None, std=None)
    network.extract_feat = lambda x: (x.mean((2, 3)).repeat(1, 40),)
    pixels = torch.rand(2, 3, 32, 32)
    model = PixelsToProbabilities(network, config_of('ResizeEdge'))
    torch.testing.assert_close(model(pixels), network(pixels, mode='tensor').softmax(1))


def test_labels_that_do_not_exclude_each_other():
    network = classifier('MultiLabelLinearClsHead', mean=None, std=None)
    network.extract_feat = lambda x: (x.mean((2, 3)).repeat(1, 40),)
    pixels = torch.rand(2, 3, 32, 32)
    model = PixelsToProbabilities(network, config_of('ResizeEdge'))
    torch.testing.assert_close(model(pixels), network(pixels, mode='tensor').sigmoid())


@pytest.mark.parametrize('outputs', [3, 1])
def test_a_segmentor_gives_probabilities_of_every_pixel(outputs):
    pytest.importorskip('mmseg')
    import mmseg.models  # noqa: F401

    with DefaultScope.overwrite_default_scope('mmseg'):
        network = MODELS.build(
            dict(
                type='EncoderDecoder',
                backbone=dict(type='ResNetV1c', depth=18, base_channels=4),
                decode_head=dict(
                    type='FCNHead',
                    in_channels=32,
                    channels=4,
                    num_classes=max(outputs, 2),
                    out_channels=outputs,
                    threshold=0.5,
                    num_convs=1,
                    concat_input=False,
                ),
                data_preprocessor=dict(
                    type='SegDataPreProcessor', mean=MEAN, std=STD, bgr_to_rgb=True
                ),
                test_cfg=dict(mode='whole'),
            )
        )
    model = PixelsToProbabilities(network, config_of('LoadImageFromFile'))
    pixels = torch.rand(1, 3, 33, 47) * 255
    with torch.no_grad():
        found = model(pixels)
        images = (pixels - model.mean) / model.std
        expected = network.encode_decode(images, [dict(img_shape=(33, 47))])
    assert found.shape == (1, outputs, 33, 47)
    expected = expected.softmax(1) if outputs > 1 else expected.sigmoid()
    torch.testing.assert_close(found, expected)


def test_a_detector_is_refused():
    with pytest.raises(ValueError, match='a Linear is neither a classifier nor'):
        PixelsToProbabilities(torch.nn.Linear(1, 1), config_of('LoadImageFromFile'))


@pytest.mark.parametrize('loader', [None, {}, dict(dataset=dict(type='COCO'))])
def test_a_config_without_test_data(loader):
    with pytest.raises(ValueError, match=r'no test_dataloader\.dataset\.pipeline'):
        PixelsToProbabilities(classifier(), Config(dict(test_dataloader=loader)))


def test_a_data_set_in_a_wrapper():
    config = config_of('LoadImageFromFile')
    config.test_dataloader.dataset = dict(dataset=config.test_dataloader.dataset)
    assert PixelsToProbabilities(classifier(), config).takes_bgr


def test_weights_that_modules_share_are_written(tmp_path):
    from safetensors.torch import load_file

    network = torch.nn.Sequential(*[torch.nn.Linear(2, 3)] * 2)
    write_weights(network, {}, tmp_path / 'a.safetensors')
    found = load_file(tmp_path / 'a.safetensors')
    assert torch.equal(found['0.weight'], found['1.weight'])


@pytest.mark.parametrize('change', [0.01, float('nan')])
def test_another_result_is_an_error(change):
    with pytest.raises(ValueError, match='probabilities by .* on a batch of 1'):
        check(torch.nn.Identity(), lambda x: x + change, (2, 3))
    check(torch.nn.Identity(), lambda x: x, (2, 3))
