from math import inf, isnan, nan

import pytest

from famkd.apis.tables import markdown_table, number, published_result, spread


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


@pytest.mark.parametrize('value', [nan, inf])
def test_one_seed_that_diverged(value):
    mean, deviation = spread([value, 1.0])
    assert mean == value or isnan(mean)
    assert isnan(deviation)
    assert number(mean, deviation) == f'{value} ± nan'
    assert spread([1.0]) == (1.0, None)


def test_a_shorter_schedule_stands_beside_what_is_published_for_the_long_one():
    assert published_result('resnet20_cifar100', 'accuracy/top1')[0] == 69.06
    value, source = published_result('resnet20-24e_cifar100', 'accuracy/top1')
    assert value == 69.06
    assert source == 'RepDistiller README; trained longer, as published'
    assert published_result('mine', 'accuracy/top1') == (None, None)
