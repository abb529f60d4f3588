import pytest
import torch
from matplotlib import pyplot
from tool_fixtures import load_tool

from famkd.apis.checkpoints import read_checkpoint
from famkd.layers import (
    DynamicFrequencyAttention,
    FrequencyAttention,
    high_pass_mask,
)

TOOL = load_tool('analysis_tools/plot_filters')
magnitudes = TOOL.magnitudes
main = TOOL.main
plot_filters = TOOL.plot_filters
read_filters = TOOL.read_filters


def random_filter(layer):
    """Loads a random K, and returns its Hermitian part, centred."""
    shape = (layer.in_channels, layer.out_channels, *layer.size)
    full = torch.randn(shape, dtype=torch.cfloat)
    layer.load_full_spectrum(full)
    mirrored = full.conj().flip(-2, -1).roll((1, 1), (-2, -1))
    return torch.fft.fftshift((full + mirrored) / 2, dim=(-2, -1))


@pytest.mark.parametrize('kind', ['gaussian', 'butterworth', 'none'])
def test_symmetric_masks_are_divided_out(kind):
    torch.manual_seed(0)
    layer = FrequencyAttention(3, 2, (9, 12), high_pass=kind, cutoff=0.4)
    hermitian = random_filter(layer).abs().mean((0, 1))
    mask = high_pass_mask(kind, (9, 12), 0.4)
    before, after = magnitudes(layer)
    removed = mask == 0
    assert removed.sum() == (kind != 'none')
    assert before[removed].isnan().all()
    torch.testing.assert_close(before[~removed], hermitian[~removed])
    torch.testing.assert_close(after.double(), (hermitian * mask), atol=1e-6, rtol=1e-4)


def test_the_ideal_mask_halves_its_edge():
    torch.manual_seed(0)
    layer = FrequencyAttention(2, 3, 32)
    random_filter(layer)
    before, after = magnitudes(layer)
    # Rows and columns -1 and 0 are cut; only bin (0, 0) has no mirror image outside.
    assert before.isnan().nonzero().tolist() == [[16, 16]]
    assert after[16, 16] < 1e-6
    ratio = after / before
    halved = {(15, 15), (15, 16), (16, 15), (17, 17), (17, 16), (16, 17)}
    for y in range(32):
        for x in range(32):
            if (y, x) != (16, 16):
                expected = 0.5 if (y, x) in halved else 1.0
                assert ratio[y, x] == pytest.approx(expected, rel=1e-3), (y, x)


def test_filters_for_maps_of_any_size():
    torch.manual_seed(0)
    layer = DynamicFrequencyAttention(3, 2, 32, high_pass='gaussian', cutoff=0.4)
    before, after = magnitudes(layer)
    mask = high_pass_mask('gaussian', (32, 32), 0.4)
    torch.testing.assert_close(after, (before * mask).float())
    figure = plot_filters([layer, layer])
    assert len([ax for ax in figure.axes if ax.images]) == 4
    pyplot.close(figure)


def test_filters_of_a_checkpoint(checkpoints, tmp_path, capsys):
    weights, config, _ = read_checkpoint(str(checkpoints / 'famkd.pth'))
    layers = read_filters(weights, config)
    assert [layer.size for layer in layers] == [(32, 32), (16, 16), (8, 8), (1, 1)]
    for i, layer in enumerate(layers):
        key = f'distiller.stages.{i}.head.fam.filter'
        assert torch.equal(layer.filter, weights[key])

    figure = plot_filters(layers)
    pictures = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(pictures) == 6  # the stage of 1x1 is left out
    before, after = magnitudes(layers[1])
    torch.testing.assert_close(torch.tensor(pictures[1].get_array().filled()), before)
    torch.testing.assert_close(torch.tensor(pictures[4].get_array().filled()), after)
    # Bin (0, 0) is in the middle of its pixel.
    assert pictures[0].get_extent() == [-16.5, 15.5, -16.5, 15.5]
    pyplot.close(figure)

    out = [str(tmp_path / f'filters.{kind}') for kind in ('png', 'svg')]
    main([str(checkpoints / 'famkd.pth'), *(f'--out={file}' for file in out)])
    assert pyplot.imread(out[0]).shape[1] == 1600
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('stage 1: 16 -> 16 channels, 32x32, mean |K|')
    assert lines[0].endswith('removes 1 of 1024 bins')


def test_errors(checkpoints, tmp_path):
    student = str(checkpoints / 'student.pth')
    famkd = checkpoints / 'famkd.pth'
    with pytest.raises(
        SystemExit, match='student.pth: the config has no frequency att'
    ):
        main([student])
    with pytest.raises(SystemExit, match='no.pth: no such checkpoint'):
        main(['no.pth'])
    with pytest.raises(SystemExit, match="there is no file 'no.py'"):
        main([str(famkd), '--config', 'no.py'])

    checkpoint = torch.load(famkd, weights_only=True)
    broken = tmp_path / 'broken.pth'
    key = 'distiller.stages.1.head.fam.filter'
    checkpoint['state_dict'][key] = torch.zeros(2, 3)
    torch.save(checkpoint, broken)
    with pytest.raises(SystemExit, match=rf'{key} is \(2, 3\), but \(144, 32, 64\) in'):
        main([str(broken)])
    torch.save(checkpoint['state_dict'], broken)
    with pytest.raises(SystemExit, match='broken.pth: no config in it'):
        main([str(broken)])
    broken.write_bytes(famkd.read_bytes()[:5000])
    with pytest.raises(SystemExit, match='broken.pth cannot be loaded'):
        main([str(broken)])
