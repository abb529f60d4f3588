import json
import math
import re
import shutil

import pytest

from famkd.apis.report import differences, panels, write_report
from famkd.apis.runs import group_runs, read_run, read_runs

NAMES = ['famkd_seed0', 'famkd_seed1', 'student_seed0', 'teacher']


@pytest.fixture
def runs(recorded, tmp_path):
    for name in NAMES:
        shutil.copytree(recorded / name, tmp_path / name)
    (tmp_path / 'teacher' / 'heat <b>.png').write_bytes(b'a picture')
    (tmp_path / 'teacher' / 'large.png').write_bytes(bytes(2_000_001))
    return group_runs(read_runs([tmp_path / name for name in NAMES]))


def test_the_page_is_one_file_with_everything(runs, tmp_path):
    file = tmp_path / 'new' / 'report.html'
    row = {'title': 'FAM-KD <1>', 'runs': 2, 'top1': 61.2, 'top1 std': 0.5}
    write_report(runs, [{**row, 'top1 best': 62.0, 'top1 best std': 0.1}], file)
    page = file.read_text(encoding='utf-8')
    assert '<td>FAM-KD &lt;1&gt;</td><td>2</td><td>61.20 ± 0.50</td>' in page
    assert 'data:image/png;base64,YSBwaWN0dXJl' in page
    assert 'heat &lt;b&gt;.png' in page
    assert 'large.png' not in page
    assert 'train_cfg.max_epochs' in page
    # No file, no server: the only address is the name of SVG.
    assert set(re.findall(r'https?://[^\'"]+', page)) == {'http://www.w3.org/2000/svg'}
    drawn = json.loads(re.search(r'const panels = (.*);', page)[1])
    assert [len(panel['curves']) for panel in drawn] == [3] * len(drawn)


def test_curves_are_means_over_the_seeds(runs):
    found = {panel['title']: panel['curves'][0] for panel in panels(runs)}
    first, second = (dict(zip(*r.curve('loss'), strict=True)) for r in runs[0].runs)
    for at, mean, deviation in found['loss']:
        assert mean == pytest.approx((first[at] + second[at]) / 2)
        assert deviation == pytest.approx(abs(first[at] - second[at]) / 2**0.5)
    assert found['gamma1_stage1']


def test_what_is_no_number_is_not_drawn(make_run, epochs):
    path = make_run('x', epochs(1, 1) + epochs(2, 2, loss=math.nan))
    found = panels(group_runs([read_run(path)]))
    assert [panel['curves'] for panel in found] == [[[[1, 1.0, 0]]]]


def test_settings_that_differ_are_listed(runs):
    found = {key: values for key, *values in differences(runs)}
    assert found['train_cfg.max_epochs'] == ['12', '12', '3']
    assert not any('work_dir' in key for key in found)
    assert 'optim_wrapper.optimizer.type' not in found


def test_epochs_and_iterations_do_not_meet(runs, make_run, detection_lines, tmp_path):
    runs += group_runs(read_runs([make_run('c', detection_lines)]))
    with pytest.raises(ValueError, match='plot them apart'):
        write_report(runs, [], tmp_path / 'report.html')
    assert not (tmp_path / 'report.html').exists()
