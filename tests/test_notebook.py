"""The notebook runs from its first cell to its last."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tools_in_this_process(monkeypatch, tool):
    """Tools that are started run here: a process would import everything again."""
    start = subprocess.run

    def run(command, **options):
        if command[0] != sys.executable:
            return start(command, **options)
        script, *arguments = map(str, command[1:])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            tool(script.removeprefix('tools/').removesuffix('.py')).main(arguments)
        return subprocess.CompletedProcess(command, 0, printed.getvalue(), '')

    monkeypatch.setattr(subprocess, 'run', run)


def test_the_notebook_runs_at_reduced_size(
    tools_in_this_process, tmp_path, monkeypatch, capsys
):
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
