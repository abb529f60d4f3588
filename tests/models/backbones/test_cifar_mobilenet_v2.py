from golden_network import assert_matches_golden


def test_matches_golden():
    assert_matches_golden(
        'cifar100/mobilenetv2_1xb64_cifar100.py',
        'MobileNetV2',
        [f'backbone.layer{k}' for k in range(1, 5)],
    )
