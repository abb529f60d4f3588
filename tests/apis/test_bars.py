import math

import pytest
from matplotlib import pyplot

from famkd.apis.bars import plot_bars


def test_students_are_bars_and_the_teacher_is_a_line():
    rows = [
        dict(title='teacher', role='teacher', x=70.0, **{'x std': None}),
        dict(title='KD', role='distilled', x=62.0, **{'x std': 0.5}),
        dict(title='AT', role='distilled', x=59.0, **{'x std': None}),
        dict(title='student alone', role='student alone', x=60.0, **{'x std': None}),
        dict(title='diverged', role='distilled', x=math.nan, **{'x std': None}),
        dict(title='other metric', role='distilled', y=1.0),
    ]
    figure = plot_bars(rows, 'x')
    [ax] = figure.axes
    assert [bar.get_width() for bar in ax.patches] == [60.0, 59.0, 62.0]
    assert [text.get_text() for text in ax.texts] == ['60.0', '59.0', '62.0 ± 0.5']
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ['student alone', 'AT', 'KD']
    assert ax.get_xlim()[0] == 0
    assert any(set(line.get_xdata()) == {70.0} for line in ax.lines)
    pyplot.close(figure)


def test_teacher_alone_is_drawn_and_nothing_is_an_error():
    row = dict(title='teacher', role='teacher', x=0.7, **{'x std': None})
    figure = plot_bars([row], 'x')
    assert any(set(line.get_xdata()) == {0.7} for line in figure.axes[0].lines)
    pyplot.close(figure)
    with pytest.raises(ValueError, match='no training has a finite x to draw'):
        plot_bars([{**row, 'x': math.inf}], 'x')
