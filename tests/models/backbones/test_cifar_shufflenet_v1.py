from golden_network import assert_matches_golden

STAGES = [f'backbone.layer{k}' for k in range(1, 4)]


def test_matches_golden():
    assert_matches_golden(
        'cifar100/shufflev1_1xb64_cifar100.py',
        'ShuffleV1',
        STAGES,
        [f'{stage}.relu' for stage in STAGES],
    )
