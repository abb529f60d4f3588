"""Runs the golden check, and makes sure that it can fail."""

import json
import sys
from pathlib import Path

import golden
import numpy as np
import pytest

TESTS = Path(__file__).parent
COPIES = TESTS / 'data/golden'
SHARED = TESTS.parents[1] / 'shared/golden'


def run(monkeypatch, capsys, folder):
    """Exit status and printed lines, split into words."""
    import mmpretrain.datasets  # noqa: F401 (prints what is not installed)

    capsys.readouterr()
    monkeypatch.setattr(sys, 'argv', ['golden.py', str(folder)])
    status = golden.main()
    return status, [line.split() for line in capsys.readouterr().out.splitlines()]


class FullRank(golden.FrequencyAttention):
    """With the rank that leaves nothing out."""

    def __init__(self, in_channels, out_channels, size, **kwargs):
        rank = max(in_channels, out_channels)
        super().__init__(in_channels, out_channels, size, rank=rank, **kwargs)


def test_filters_of_full_rank_are_the_released_ones(monkeypatch, capsys, tmp_path):
    for path in COPIES.glob('fam_*.npz'):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(golden, 'FrequencyAttention', FullRank)
    status, lines = run(monkeypatch, capsys, tmp_path)
    assert status == 0, lines
    assert len(lines) >= len(list(tmp_path.iterdir())) > 0


def changed_copy(path, folder, **changes):
    """A copy of a golden file with changed (None: removed) arrays."""
    arrays = {**np.load(path), **changes}
    np.savez(folder / path.name, **{k: v for k, v in arrays.items() if v is not None})


@pytest.mark.parametrize('folder', [COPIES, SHARED], ids=['copies', 'shared'])
def test_all_files_pass(folder, monkeypatch, capsys):
    if not folder.is_dir():
        pytest.skip('no folder ../shared/golden next to the checkout')
    status, lines = run(monkeypatch, capsys, folder)
    assert status == 0, lines
    assert {line[1] for line in lines} >= {path.name for path in folder.glob('*.npz')}
    verdicts = {line[1].split('_')[0]: line[0] for line in lines}
    for kind in ('fam', 'cross', 'local', 'review', 'dct', 'attention', 'pkt'):
        assert verdicts[kind] == 'PASS'


@pytest.mark.parametrize(
    ('name', 'array'),
    [
        ('fam_4_6_8', 'out'),
        ('fam_4_6_8', 'grad_x'),
        ('fam_4_6_8', 'grad_gamma1'),
        ('fam_4_6_8', 'grad_filter_imag'),
        ('fam_2_3_21', 'filter_real'),
        ('cross_attention_8_8x8', 'grad_rel_w'),
        ('local_attention_8_8x8', 'grad_x'),
        ('review_famkd_resize', 'out3'),
        ('review_famkd_resize', 'level1.attention.rel_h'),
        ('review_famkd_resize', 'loss'),
        ('review_abf_resize', 'grad_student0'),
        ('review_abf_resize', 'level0.attention_bias'),
        ('dct_loss_a', 'per_sample'),
        ('dct_loss_a', 'grad_student0'),
        ('dct_guided_a', 'loss'),
        ('attention_transfer_a', 'loss'),
        ('pkt_a', 'grad_student'),
        ('freekd_a', 'masked_teacher1'),
        ('freekd_prompt_a', 'grad_prompt2'),
        ('freekd_prompt_a', 'jaccard_dissimilarity0'),
        ('freekd_aligned_a', 'grad_align0_bias'),
        ('freekd_relation_a', 'weights1'),
        ('freekd_relation_a', 'grad_gate_student1_weight1'),
    ],
)
def test_a_wrong_array_fails(name, array, tmp_path, monkeypatch, capsys):
    path = COPIES / f'{name}.npz'
    wrong = np.load(path)[array].copy()
    # Off the middle: of a spectrum, not a bin that has no effect.
    wrong.flat[min(wrong.size // 2 + 3, wrong.size - 1)] += 0.01 * np.abs(wrong).max()
    changed_copy(path, tmp_path, **{array: wrong})
    status, [line] = run(monkeypatch, capsys, tmp_path)
    assert status == 1
    assert line[:2] == ['FAIL', path.name]
    assert float(line[2]) > golden.TOLERANCE


def test_bad_files_fail_alone(tmp_path, monkeypatch, capsys):
    (tmp_path / 'broken.npz').write_bytes(
        (COPIES / 'fam_3_5_7.npz').read_bytes()[:1000]
    )
    changed_copy(COPIES / 'fam_3_5_7.npz', tmp_path, gamma1=None)
    changed_copy(COPIES / 'fam_4_6_8.npz', tmp_path, level9=np.zeros(3))
    changed_copy(COPIES / 'fam_6_4_1.npz', tmp_path, meta='{"kind": "wavelet"}')
    x = np.load(COPIES / 'local_attention_16_1x1.npz')['x']
    changed_copy(COPIES / 'local_attention_16_1x1.npz', tmp_path, x=x * np.nan)
    good = COPIES / 'local_attention_8_8x8.npz'
    changed_copy(good, tmp_path)
    status, lines = run(monkeypatch, capsys, tmp_path)
    assert status == 1
    results = {line[1]: (line[0], ' '.join(line[2:])) for line in lines}
    assert results[good.name][0] == 'PASS'
    assert results['fam_6_4_1.npz'] == ('SKIP', "kind 'wavelet' is not built")
    assert results['local_attention_16_1x1.npz'] == ('FAIL', 'inf')
    for name, reason in (
        ('broken.npz', 'inf (BadZipFile: '),
        ('fam_3_5_7.npz', "inf (KeyError: 'gamma1')"),
        ('fam_4_6_8.npz', 'inf (ValueError: arrays not compared: level9)'),
    ):
        verdict, message = results[name]
        assert verdict == 'FAIL'
        assert message.startswith(reason)


def test_networks(tmp_path, monkeypatch, capsys):
    golden_networks = json.loads((TESTS / 'data/cifar_checkpoints.json').read_text())
    small = golden_networks['resnet8x4']
    files = {
        'broken.json': '{"resnet20": {"par',
        'good.json': json.dumps({'resnet8x4': small, 'resnet9x9': {}}),
        'unknown.json': json.dumps({'resnet9x9': {}}),
        'params.json': json.dumps({'resnet8x4': {**small, 'params': 1}}),
        'logits.json': json.dumps(
            {'resnet8x4': {**small, 'logits': [[1.0] * 8, [2.0] * 8]}}
        ),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    status, lines = run(monkeypatch, capsys, tmp_path)
    assert status == 1
    lines = [' '.join(line) for line in lines]
    assert lines[0].startswith('FAIL broken.json inf (JSONDecodeError: ')
    assert lines[1] == 'SKIP good.json networks that are not built: resnet9x9'
    assert lines[2].startswith('PASS good.json ')
    assert lines[3].startswith('FAIL logits.json ')
    assert lines[4] == (
        'FAIL params.json inf (ValueError: resnet8x4 has 1233540 parameters, not 1)'
    )
    assert lines[-1] == 'SKIP unknown.json none of its networks is built'


def test_a_folder_without_files_is_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['golden.py', str(tmp_path)])
    with pytest.raises(SystemExit, match='2'):
        golden.main()
    assert f'no golden files in {tmp_path}' in capsys.readouterr().err
