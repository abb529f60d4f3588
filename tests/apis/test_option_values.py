"""Values of --cfg-options."""

import pytest

from famkd.apis.option_values import parse_value


@pytest.mark.parametrize(
    'text, value',
    [
        ('5', 5),
        ('1e-3', 1e-3),
        ('true', True),
        ('None', None),
        ('', ''),
        ('[]', []),
        ('a,b', ['a', 'b']),
        ('[1, a]', [1, 'a']),
        ('[(a,b),(1,[2])]', [('a', 'b'), (1, [2])]),
        ('epoch_{}.pth', 'epoch_{}.pth'),
        ('run(1)/a.pth', 'run(1)/a.pth'),
        ('/data/my run (1)/a.pth', '/data/my run (1)/a.pth'),
        (" ' 5' ", 5),
        ('dict(a=1)', dict(a=1)),
        ("{'a': [1, 2]}", dict(a=[1, 2])),
        ("[dict(type='EMAHook',momentum=0.1)]", [dict(type='EMAHook', momentum=0.1)]),
    ],
)
def test_values(text, value):
    assert parse_value(text) == value


@pytest.mark.parametrize(
    'text',
    ['f(1,2)', '[1,2', '[a]]', '(1,2)x', '[dict(type=A)]', 'dict(a=open(1))', '{'],
)
def test_what_is_no_value(text):
    with pytest.raises(ValueError, match='brackets|config'):
        parse_value(text)
