import pytest
import torch


@pytest.fixture
def start(build, classifier, tmp_path):
    """Function (weights, **options): a network whose backbone starts from them."""

    def start(weights, **options):
        torch.save(weights, tmp_path / 'a.pth')
        init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth'))
        network = build(classifier(8, init_cfg={**init_cfg, **options}))
        network.init_weights()
        return network

    return start


@pytest.mark.parametrize('prefix', ['backbone', 'backbone.', None])
def test_weights_of_the_network(prefix, start, build, classifier):
    weights = build(classifier(8)).state_dict()
    if prefix is None:
        names = [name for name in weights if name.startswith('backbone.')]
        weights = {name.removeprefix('backbone.'): weights[name] for name in names}
        weights['fc.weight'] = torch.zeros(2)
    network = start(weights, prefix=prefix)
    name = 'layer1.0.conv1.weight'
    expected = weights[f'backbone.{name}' if prefix else name]
    assert torch.equal(network.backbone.state_dict()[name], expected)


def test_the_file_is_read_once(start, build, classifier, monkeypatch):
    read, files = torch.load, []
    monkeypatch.setattr(
        torch,
        'load',
        lambda *args, **options: files.append(args) or read(*args, **options),
    )
    start(build(classifier(8)).state_dict(), prefix='backbone')
    assert len(files) == 1


def test_weights_of_a_deeper_network(start, build, classifier):
    weights = build(classifier(8, depth=14)).state_dict()
    with pytest.raises(ValueError, match=r'36 are of no use \(layer1.1.conv1.weight'):
        start(weights, prefix='backbone')
    start(weights, prefix='backbone', allow_unused_weights=True)


def test_weights_of_which_none_fits(start, build, classifier):
    weights = build(classifier(12)).backbone.state_dict()
    for options in ({}, dict(allow_unused_weights=True)):
        with pytest.raises(ValueError, match='this CIFARResNet: 0 of its 5. entries'):
            start(weights, **options)
