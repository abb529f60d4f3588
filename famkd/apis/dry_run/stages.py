"""Which feature of the student is compared with which of the teacher."""

from famkd.apis.dry_run.losses import FirstStep
from famkd.apis.tables import markdown_table


def check_stages(step: FirstStep) -> tuple[list[str], list[str]]:
    """The pairs of stages, with channels and sizes as the first batch has them.

    Args:
        step: The first step.

    Returns:
        tuple: Lines to print (none without stages), and what looks wrong: maps whose
        heights or widths differ by more than a factor of two.
    """
    if not step.pairs:
        return [], []
    rows, wrong = [['', 'student', '', 'teacher', '']], []
    for i, (student, teacher) in enumerate(step.pairs, start=1):
        rows.append([f'stage {i}', *map(str, (*student, *teacher))])
        sizes = student[1][1:], teacher[1][1:]
        ratios = [max(a, b) / min(a, b) for a, b in zip(*sizes, strict=True)]
        if max(ratios) > 2:
            rows[-1][0] += ' (!)'
            wrong.append(
                f'stage {i} pairs a map of {_size(sizes[0])} of the student with one '
                f'of {_size(sizes[1])} of the teacher: name stages of like sizes in '
                'student_stages and teacher_stages'
            )
    return [markdown_table(rows)], wrong


def _size(size: tuple[int, int]) -> str:
    return 'x'.join(map(str, size))
