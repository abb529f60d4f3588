import json
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import load_checkpoint

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tools/model_converters'))
import mdistiller_to_famkd  # noqa: E402
from mdistiller_to_famkd import (  # noqa: E402
    ARCHS,
    build_network,
    convert,
    main,
    our_shapes,
)

GOLDEN = json.loads((ROOT / 'tests/data/cifar_checkpoints.json').read_text())


def theirs(name, **changes):
    """A state dict of zeros under mdistiller's keys, with some shapes changed."""
    return {
        key: torch.zeros(shape)
        for key, shape in (GOLDEN[name]['keys'] | changes).items()
    }


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', ['mdistiller_to_famkd.py', *map(str, args)])
    main()


def test_every_golden_network_is_known():
    assert set(GOLDEN) <= set(ARCHS)


@pytest.mark.parametrize('name', GOLDEN)
def test_round_trip(name):
    shapes = our_shapes(name)
    ours = {key: torch.zeros(shape) for key, shape in shapes.items()}
    back = convert(ours, name, reverse=True)
    assert {key: list(x.shape) for key, x in back.items()} == GOLDEN[name]['keys']
    again = convert(back, name)
    assert list(again) == list(ours)
    assert all(again[key] is ours[key] for key in ours)


@pytest.mark.parametrize('depth', [18, 50])
def test_torchvision_gives_the_same_logits(depth):
    torchvision = pytest.importorskip('torchvision')
    torch.manual_seed(0)
    network = getattr(torchvision.models, f'resnet{depth}')().eval()
    weights = network.state_dict()
    arch = f'torchvision/resnet{depth}'
    ours = build_network(arch).eval()
    ours.load_state_dict(convert(weights, arch))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), network(x))
    assert list(convert(ours.state_dict(), arch, reverse=True)) == list(weights)


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('bare', [True, False])
def test_files(tmp_path, monkeypatch, prefix, bare):
    torch.manual_seed(0)
    ours = build_network('resnet8x4')
    weights = {
        f'{prefix}{key}': x
        for key, x in convert(ours.state_dict(), 'resnet8x4', reverse=True).items()
    }
    torch.save(weights if bare else {'model': weights}, tmp_path / 'in.pth')
    out = tmp_path / 'new' / 'out.pth'
    run(monkeypatch, tmp_path / 'in.pth', out, '--arch', 'resnet8x4')

    other = build_network('resnet8x4')
    checkpoint = load_checkpoint(other, str(out), map_location='cpu', strict=True)
    assert checkpoint['meta']['arch'] == 'resnet8x4'
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(other.eval()(x), ours.eval()(x), rtol=0, atol=0)

    back = tmp_path / 'back.pth'
    run(monkeypatch, out, back, '--arch', 'resnet8x4', '--reverse')
    back = torch.load(back, weights_only=True)['model']
    assert {f'{prefix}{key}' for key in back} == set(weights)
    assert all(torch.equal(x, weights[f'{prefix}{key}']) for key, x in back.items())


def test_unknown_arch_lists_the_near_names():
    with pytest.raises(ValueError, match='--arch mobilenetV2 .*use .*MobileNetV2'):
        convert({}, 'mobilenetV2')
    with pytest.raises(ValueError, match='--arch x is not known; use resnet20 or'):
        convert({}, 'x')


def test_weights_of_another_network():
    weights = theirs('resnet20', **{'fc.weight': [10, 64], 'fc.bias': [10]})
    weights['extra'] = weights.pop('bn1.bias')
    with pytest.raises(ValueError) as error:
        convert(weights, 'resnet20')
    assert str(error.value) == (
        'the weights are not those of resnet20; missing: bn1.bias; '
        'not part of it: extra; '
        'other shapes: fc.weight is (10, 64), not (100, 64), fc.bias is (10,), not '
        '(100,)'
    )
    with pytest.raises(ValueError, match='not part of it: .* and 213 more'):
        convert(theirs('resnet56'), 'resnet20')


@pytest.mark.parametrize(
    'content', [dict(epoch=1), [1, 2], dict(model=dict(a='b')), {}]
)
def test_no_weights_in_the_file(tmp_path, monkeypatch, content):
    torch.save(content, tmp_path / 'in.pth')
    with pytest.raises(SystemExit, match='the file holds no weights'):
        run(monkeypatch, tmp_path / 'in.pth', tmp_path / 'out', '--arch', 'vgg8')
    assert not (tmp_path / 'out').exists()


def test_unreadable_files(tmp_path, monkeypatch):
    path = tmp_path / 'truncated.pth'
    torch.save(dict(model=theirs('resnet20')), path)
    path.write_bytes(path.read_bytes()[:-1000])
    (tmp_path / 'text.pth').write_text('hello\n')
    for name in ('truncated.pth', 'text.pth', 'none.pth'):
        with pytest.raises(SystemExit, match=f'error: .*{name} can'):
            run(monkeypatch, tmp_path / name, tmp_path / 'o', '--arch', 'resnet20')


def test_the_arch_is_checked_before_the_file_is_read(monkeypatch):
    monkeypatch.setattr(
        mdistiller_to_famkd, 'load_checkpoint', lambda path: pytest.fail('was read')
    )
    with pytest.raises(SystemExit, match='--arch resnet21 is not known; use resnet'):
        run(monkeypatch, 'none.pth', 'out.pth', '--arch', 'resnet21')
