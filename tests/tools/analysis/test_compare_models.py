import pytest


@pytest.fixture
def compare(tool):
    return tool('analysis_tools/compare_models').main


def test_teacher_and_student_side_by_side(compare, tiny_runs, tmp_path, capsys):
    picture = tmp_path / 'models.png'
    folders = [str(tiny_runs['teacher']), str(tiny_runs['famkd'])]
    compare([*folders, '--repeats', '1', '--out', str(picture)])
    text = capsys.readouterr().out
    assert '1 x 3 x 32 x 32, cpu' in text
    header, _, teacher, student = [x for x in text.splitlines() if x.startswith('|')]
    assert header.split('|')[-2].strip() == 'accuracy/top1'
    for column in (2, 3, 4):  # parameters, multiply-adds, memory
        more, less = (
            float(x.split('|')[column].split()[0]) for x in (teacher, student)
        )
        assert more > less
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    'argv, message',
    [
        (['--size', '1', '2', '3'], '--size: [1, 2, 3] is not a height'),
        (['--batch-size', '0'], '--batch-size: must be 1 or more'),
        (['--repeats', '0'], '--repeats: must be 1 or more'),
    ],
)
def test_wrong_arguments(compare, argv, message, capsys):
    with pytest.raises(SystemExit):
        compare(['nothing', *argv])
    assert message in capsys.readouterr().err


def test_a_missing_work_dir_is_named(compare, tmp_path):
    with pytest.raises(SystemExit, match='gone: no such folder'):
        compare([str(tmp_path / 'gone')])


def test_a_config_by_the_name_of_a_package(compare, tmp_path, capsys):
    config = 'famkd::demo/resnet8_digits.py'
    compare([config, '--repeats', '1', '--out', str(tmp_path / 'models.png')])
    assert '| resnet8_digits |' in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no installed package has 'famkd::gone.py'"):
        compare(['famkd::gone.py'])
