import pytest

from famkd.apis.tables import markdown_table, number


def test_columns_are_padded():
    assert markdown_table([['a', 'b'], ['long', 'x']]) == (
        '| a    | b |\n| ---- | - |\n| long | x |'
    )
    with pytest.raises(ValueError):
        markdown_table([['a', 'b'], ['alone']])


def test_numbers():
    assert number(70.126) == '70.13'
    assert number(0.1234, 0.0, digits=3) == '0.123 ± 0.000'
    assert number(None) == '-'
