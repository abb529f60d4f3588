from golden_network import golden_error


def test_matches_golden():
    assert golden_error('MobileNetV2') < 1e-4
