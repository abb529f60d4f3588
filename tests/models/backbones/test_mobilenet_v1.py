from golden_network import golden_error


def test_matches_golden():
    assert golden_error('imagenet/MobileNetV1') < 1e-4
