"""The notebook runs from its first cell to its last."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_notebook_runs_at_reduced_size(tmp_path):
    notebook = json.loads((ROOT / 'docs/demo.ipynb').read_text(encoding='utf-8'))
    cells = [
        ''.join(c['source']) for c in notebook['cells'] if c['cell_type'] == 'code'
    ]
    environment = {
        **os.environ,
        **dict(EPOCHS='10', WORK=str(tmp_path), MPLBACKEND='Agg', OMP_NUM_THREADS='1'),
    }
    code = '\n\n'.join(cells)
    result = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        cwd=ROOT / 'docs',
        env=environment,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert 'student with FAM-KD' in result.stdout
    assert (tmp_path / 'student.pth').is_file()
