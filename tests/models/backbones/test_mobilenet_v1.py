from golden_network import assert_matches_golden

STAGES = [f'backbone.layer{k}' for k in range(1, 5)]


def test_matches_golden():
    assert_matches_golden(
        'imagenet/mobilenetv1_8xb32_imagenet.py',
        'imagenet/MobileNetV1',
        STAGES,
        [f'{stage}.relu' for stage in STAGES],
    )
