"""Where pictures go."""

import argparse

from famkd.apis.plots import add_out_argument, out_files


def test_pictures_lie_with_what_they_show(tmp_path):
    parser = argparse.ArgumentParser()
    add_out_argument(parser, 'curves.png', 'in the last WORK_DIR')
    assert 'curves.png in the last WORK_DIR' in ' '.join(parser.format_help().split())
    args = parser.parse_args([])
    checkpoint = tmp_path / 'run/epoch_1.pth'
    (tmp_path / 'other').mkdir()
    for sources, folder in (
        ([str(tmp_path / 'other'), str(checkpoint)], tmp_path / 'run'),
        ([str(checkpoint), str(tmp_path / 'other')], tmp_path / 'other'),
    ):
        assert out_files(args, sources) == [str(folder / 'curves.png')]
    assert out_files(args, ['https://host/a.pth']) == out_files(args) == ['curves.png']
    args = parser.parse_args(['--out', 'a.svg', '--out', 'a.pdf'])
    assert out_files(args, [str(checkpoint)]) == ['a.svg', 'a.pdf']
