"""Converting files of mdistiller and torchvision."""

import pytest
import torch
from mmengine.runner import load_checkpoint
from tool_fixtures import load_tool

from famkd.apis.mdistiller import build_arch, convert

TOOL = load_tool('model_converters/mdistiller_to_famkd')


def run(*args):
    TOOL.main([*map(str, args)])


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('bare', [True, False])
def test_files(tmp_path, prefix, bare):
    torch.manual_seed(0)
    ours = build_arch('resnet8x4')
    weights = {
        f'{prefix}{key}': x
        for key, x in convert(ours.state_dict(), 'resnet8x4', reverse=True).items()
    }
    torch.save(weights if bare else {'model': weights}, tmp_path / 'in.pth')
    out = tmp_path / 'new' / 'out.pth'
    run(tmp_path / 'in.pth', out, '--arch', 'resnet8x4')

    other = build_arch('resnet8x4')
    checkpoint = load_checkpoint(other, str(out), map_location='cpu', strict=True)
    assert checkpoint['meta']['arch'] == 'resnet8x4'
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(other.eval()(x), ours.eval()(x), rtol=0, atol=0)

    back = tmp_path / 'back.pth'
    run(out, back, '--arch', 'resnet8x4', '--reverse')
    back = torch.load(back, weights_only=True)['model']
    assert {f'{prefix}{key}' for key in back} == set(weights)
    assert all(torch.equal(x, weights[f'{prefix}{key}']) for key, x in back.items())


@pytest.mark.parametrize(
    'content', [dict(epoch=1), [1, 2], dict(model=dict(a='b')), {}]
)
def test_no_weights_in_the_file(tmp_path, content):
    torch.save(content, tmp_path / 'in.pth')
    with pytest.raises(SystemExit, match='the file holds no weights'):
        run(tmp_path / 'in.pth', tmp_path / 'out', '--arch', 'vgg8')
    assert not (tmp_path / 'out').exists()


def test_unreadable_files(tmp_path):
    path = tmp_path / 'truncated.pth'
    torch.save(dict(model=build_arch('resnet20').state_dict()), path)
    path.write_bytes(path.read_bytes()[:-1000])
    (tmp_path / 'text.pth').write_text('hello\n')
    for name in ('truncated.pth', 'text.pth', 'none.pth'):
        with pytest.raises(SystemExit, match=f'error: .*{name} can'):
            run(tmp_path / name, tmp_path / 'o', '--arch', 'resnet20')


def test_the_arch_is_checked_before_the_file_is_read(monkeypatch):
    monkeypatch.setattr(TOOL, 'load_checkpoint', lambda path: pytest.fail('was read'))
    with pytest.raises(SystemExit, match='--arch resnet21 is not known; use resnet'):
        run('none.pth', 'out.pth', '--arch', 'resnet21')


@pytest.mark.parametrize('tool', ['freekd_prompts', 'mdistiller_to_famkd --arch vgg8'])
def test_the_file_itself_is_not_overwritten(tool, tmp_path, capsys):
    (tmp_path / 'in.pth').write_text('weights')
    name, *options = tool.split()
    file = str(tmp_path / 'in.pth')
    with pytest.raises(SystemExit):
        load_tool(f'model_converters/{name}').main([file, file, *options])
    assert 'is the file to convert; name another one' in capsys.readouterr().err
    assert (tmp_path / 'in.pth').read_text() == 'weights'
