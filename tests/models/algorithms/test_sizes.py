"""The size of a distillation, in the log."""

from mmengine.logging import MMLogger
from torch import nn

from famkd.models.algorithms.sizes import log_sizes


def test_a_distiller_much_larger_than_the_student_is_a_warning(tmp_path):
    MMLogger.get_instance('sizes', log_file=str(tmp_path / 'log'), log_level='INFO')
    student, teacher = nn.Linear(9, 100), nn.Linear(99, 100)
    log_sizes(student, nn.Linear(99, 100), teacher)
    log_sizes(student, nn.Linear(9, 300), teacher)
    large, small = (tmp_path / 'log').read_text().splitlines()
    assert 'student 0.00 M, distiller 0.01 M, teacher 0.01 M' in large
    assert 'WARNING' in large and 'mid_channels' in large
    assert 'INFO' in small and 'mid_channels' not in small
