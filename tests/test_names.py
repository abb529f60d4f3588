from famkd.names import first_names, near_names, suggestion, type_name


def test_near_names_ignore_the_case():
    known = ['backbone.layer1', 'backbone.layer2', 'Neck']
    assert near_names('neck', known) == ['Neck']
    assert len(near_names('backbone.layer', known, count=1)) == 1
    assert near_names('xyz', known) == []


def test_the_end_of_a_message():
    assert suggestion('nek', ['head', 'neck']) == 'did you mean neck?'
    assert suggestion('xyz', ['head', 'neck']) == 'choose from head, neck'
    assert suggestion('xyz', ['head'], otherwise='leave it out') == 'leave it out'


def test_type_may_be_a_name_or_a_class():
    assert type_name(dict(type='mmdet.LoadImageFromFile')) == 'LoadImageFromFile'
    assert type_name(dict(type=dict)) == 'dict'
    assert type_name({}) == ''


def test_three_names_stand_for_many():
    assert first_names(range(4)) == '0, 1, 2, ...'
    assert first_names(['a', 'b']) == 'a, b'
    assert first_names([]) == 'none'
