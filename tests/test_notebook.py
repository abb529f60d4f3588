"""The notebook runs from its first cell to its last."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_notebook_runs_at_reduced_size(no_processes, tmp_path, monkeypatch, capsys):
    plt = pytest.importorskip('matplotlib.pyplot')
    notebook = json.loads((ROOT / 'docs/demo.ipynb').read_text(encoding='utf-8'))
    cells = [
        ''.join(c['source']) for c in notebook['cells'] if c['cell_type'] == 'code'
    ]
    monkeypatch.chdir(ROOT / 'docs')
    monkeypatch.setenv('EPOCHS', '1')
    monkeypatch.setenv('WORK', str(tmp_path))
    exec('\n\n'.join(cells), {})
    plt.close('all')
    assert 'student with FAM-KD' in capsys.readouterr().out
    assert (tmp_path / 'student.pth').is_file()
