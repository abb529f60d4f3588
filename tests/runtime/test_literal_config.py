import pytest
from mmengine.config import Config

from famkd.runtime.literal_config import parse_config


def test_what_mmengine_writes_is_read():
    content = dict(
        model=dict(type='A', channels=[1, (2, -3.5)], **{'odd key': {1: None}}),
        flag=True,
        name='a\nb',
    )
    assert parse_config(Config(content).pretty_text) == content


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        'a = b',
        'a = f()',
        'a = dict(b=dict(c=f()))',
        'a = dict(**f())',
        'a = {**f()}',
        'a = {f(): 1}',
        'a = [1 for _ in f()]',
        'a.b = 1',
        'a = list(1)',
        'if True: a = 1',
        "a = f'{f()}'",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match='line 1 of the config is no plain value'):
        parse_config(text)


@pytest.mark.parametrize('text', ['a = ', '(' * 500 + ')' * 500, '\0'])
def test_what_is_no_python_is_refused(text):
    with pytest.raises(ValueError, match='the config is no list of values'):
        parse_config(text)
