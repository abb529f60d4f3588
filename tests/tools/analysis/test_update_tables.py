from types import SimpleNamespace

import pytest
from tool_fixtures import load_tool

main = load_tool('analysis_tools/update_tables').main


def test_tables_are_written_anew(recorded, tmp_path, capsys):
    file = tmp_path / 'results.md'
    command = f'<!-- summarize.py {recorded}/student_seed* -->'
    file.write_text(f'before\n\n{command}\nthe old table\n<!-- end -->\n\nafter\n')
    main([str(file)])
    text = file.read_text()
    assert text.startswith(f'before\n\n{command}\n\n| experiment ')
    assert '| resnet8_digits | 2 ' in text
    assert text.endswith('|\n\n<!-- end -->\n\nafter\n')
    assert 'the old table' not in text
    capsys.readouterr()
    main([str(file)])
    assert file.read_text() == text
    assert capsys.readouterr().out == f'{file}: as it was\n'


def test_what_has_no_runs_stays(tmp_path, capsys):
    file = tmp_path / 'results.md'
    text = '<!-- summarize.py nowhere/* -->\nold\n<!-- end -->\n'
    file.write_text(text)
    main([str(file)])
    assert file.read_text() == text
    assert 'note: left as it is: <!-- summarize.py nowhere' in capsys.readouterr().err


def test_what_stands_at_a_picture_stays(tmp_path, monkeypatch):
    file = tmp_path / 'results.md'
    text = '<!-- plot_curves.py x --out a.svg -->\n![Curves](a.svg)\n<!-- end -->\n'
    file.write_text(text)
    done = SimpleNamespace(returncode=0, stdout='wrote a.svg\n', stderr='')
    monkeypatch.setattr('subprocess.run', lambda *_, **__: done)
    main([str(file)])
    assert file.read_text() == text


def test_errors(tmp_path):
    file = tmp_path / 'results.md'
    with pytest.raises(SystemExit, match='error: there is no file .*results.md'):
        main([str(file)])
    file.write_text('no table')
    with pytest.raises(SystemExit, match='results.md: no <!-- TOOL.py WORK_DIR'):
        main([str(file)])
    file.write_text('<!-- rm.py -rf -->\n<!-- end -->')
    with pytest.raises(SystemExit, match='there is no rm.py in'):
        main([str(file)])
