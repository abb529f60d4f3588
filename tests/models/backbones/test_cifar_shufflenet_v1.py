from golden_network import golden_error


def test_matches_golden():
    assert golden_error('ShuffleV1') < 1e-4
