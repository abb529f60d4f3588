from pathlib import Path

from famkd.apis.runs import group_runs, read_runs, short_name
from famkd.apis.titles import METHODS, find_titles, split_name

CONFIGS = Path(__file__).parents[2] / 'configs'
DISTILLED = (
    'model = dict(architecture=dict(cfg_path="{}"), teacher=dict(cfg_path="{}"))'
)


def titles(make_run, epochs, *names):
    config = DISTILLED.format('famkd::resnet20_cifar100.py', 'famkd::resnet56_x.py')
    runs = [
        make_run(
            name,
            epochs(1, 1),
            config=config if name.endswith('_') else '',
            config_name=n,
        )
        for name, n in names
    ]
    return find_titles(group_runs(read_runs(runs)))


def test_methods_and_roles(make_run, epochs):
    assert titles(
        make_run,
        epochs,
        ('a_', 'famkd-l2l_resnet56_resnet20_1xb64_cifar100'),
        ('b_', 'famkd-no-local_resnet56_resnet20_1xb64_cifar100'),
        ('c_', 'mine_resnet56_resnet20_1xb64_cifar100'),
        ('d', 'resnet20_1xb64_cifar100'),
        ('e', 'resnet56_x'),
        ('f', 'vgg8_1xb64_cifar100'),
    ) == [
        'FAM-KD, layer to layer',
        'FAM-KD without local branch',
        'mine_resnet56_resnet20_cifar100',
        'student alone',
        'teacher',
        'vgg8_cifar100',
    ]


def test_pairs_are_named_where_there_are_several(make_run, epochs):
    assert titles(
        make_run,
        epochs,
        ('a_', 'kd_resnet56_resnet20_1xb64_cifar100'),
        ('b_', 'kd_vgg13_vgg8_1xb64_cifar100'),
    ) == ['KD, resnet56_resnet20_cifar100', 'KD, vgg13_vgg8_cifar100']


def test_every_method_of_the_recipes_has_a_title():
    for path in CONFIGS.glob('*/**/*.py'):
        text = path.read_text(encoding='utf-8')
        distils = 'methods/' in text or 'FeatureDistill' in text
        if distils and not {'_base_', 'demo'} & {*path.parts}:
            assert path.stem.partition('_')[0] in METHODS, path
    for path in CONFIGS.glob('ablations/*/*.py'):
        assert split_name(short_name(path.stem))[0] not in ('', 'famkd'), path
