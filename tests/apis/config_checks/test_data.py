"""Missing data end a tool before anything is built."""

import argparse
from pathlib import Path

import pytest
from mmengine.config import Config

from famkd.apis.config_checks.data import check_data, executable_data, missing_data
from famkd.runtime.safe_load import trust_checkpoints

CONFIGS = Path(__file__).parents[3] / 'configs'


def missing(dataset, parts=('train',), **config):
    cfg = Config(dict(train_dataloader=dict(dataset=dataset), **config))
    return list(missing_data(cfg, parts))


def test_folder_of_the_data():
    found = missing(dict(type='ImageNet', data_root='data/imagenet', split='train'))
    assert found == [('train_dataloader.dataset.data_root', 'data/imagenet')]


def test_annotations_and_prefix_are_below_the_folder(tmp_path):
    root = str(tmp_path)
    dataset = dict(
        data_root=root, ann_file='ann/train.json', data_prefix=dict(img='images/')
    )
    assert missing(dataset) == [
        ('train_dataloader.dataset.ann_file', f'{root}/ann/train.json'),
        ('train_dataloader.dataset.data_prefix.img', f'{root}/images/'),
    ]
    (tmp_path / 'images').mkdir()
    (tmp_path / 'ann').mkdir()
    (tmp_path / 'ann/train.json').touch()
    assert missing(dataset) == []
    plain = dict(data_root=root, data_prefix='train')
    assert missing(plain) == [('train_dataloader.dataset.data_prefix', f'{root}/train')]
    (tmp_path / 'train_0.png').touch()  # a prefix of the names of files
    assert missing(plain) == []


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / 'data [new]?/train').mkdir(parents=True)
    assert missing(dict(data_root=f'{tmp_path}/data [new]?', data_prefix='train')) == []


def test_wrappers_are_opened():
    leaf = dict(type='CocoDataset', data_root='gone')
    repeated = dict(type='RepeatDataset', times=2, dataset=leaf)
    both = dict(type='ConcatDataset', datasets=[dict(type='Digits'), repeated])
    key = 'train_dataloader.dataset.datasets.1.dataset.data_root'
    assert missing(both) == [(key, 'gone')]


def test_annotations_of_the_evaluator():
    found = missing(
        {},
        ['val'],
        val_dataloader=dict(dataset={}),
        val_evaluator=[dict(type='A'), dict(type='CocoMetric', ann_file='gone.json')],
    )
    assert found == [('val_evaluator.ann_file', 'gone.json')]


@pytest.mark.parametrize(
    'options', [dict(backend_args=dict(backend='petrel')), dict(data_root='s3://x')]
)
def test_remote_data_are_not_looked_for(options):
    assert missing(dict(data_root='gone') | options) == []


@pytest.mark.parametrize('name', ['a.pkl', 'a.PICKLE', 'a.yaml', 'a.yml'])
def test_annotations_that_may_hold_code_are_refused(name, capsys, request):
    # Not even looked for: the file is not there.
    inner = dict(type='CocoDataset', ann_file=name)
    dataset = dict(type='RepeatDataset', times=2, dataset=inner)
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    with pytest.raises(SystemExit):
        check_data(argparse.ArgumentParser(), cfg, ['train'])
    message = capsys.readouterr().err.splitlines()[-1]
    assert f'train_dataloader.dataset.dataset.ann_file={name!r}' in message
    assert 'convert it to .json' in message and '--trust-checkpoint' in message

    request.addfinalizer(lambda: trust_checkpoints(False))
    trust_checkpoints()
    with pytest.raises(SystemExit):
        check_data(argparse.ArgumentParser(), cfg, ['train'])
    assert 'there is no' in capsys.readouterr().err


def test_files_that_may_hold_code_are_found_under_any_option():
    reads = dict(type='CocoMetric', ann_file='truth.pkl')
    writes = dict(type='DumpResults', out_file_path='results.pkl')
    cfg = Config(
        dict(
            val_dataloader=dict(dataset=dict(ann_file='a.json', proposal_file='p.pkl')),
            val_evaluator=[reads, writes],
        )
    )
    assert list(executable_data(cfg, ['train', 'val'])) == [
        ('val_dataloader.dataset.proposal_file', 'p.pkl'),
        ('val_evaluator.ann_file', 'truth.pkl'),
    ]


@pytest.mark.parametrize('recipe', ['cifar100/resnet20_1xb64_cifar100'])
def test_data_that_download_themselves_are_left_alone(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(CONFIGS / f'vanilla/{recipe}.py')
    check_data(argparse.ArgumentParser(), cfg, ['train', 'val'])
    cfg.train_dataloader.dataset.download = False
    with pytest.raises(SystemExit):
        check_data(argparse.ArgumentParser(), cfg, ['train', 'val'])


@pytest.mark.parametrize(
    'recipe, option, key',
    [
        ('vanilla/imagenet/mobilenetv1_8xb32_in1k', 'train', 'data/imagenet'),
        ('bccd/faster-rcnn_r18_fpn_1xb8-2k_bccd', 'train', 'data/bccd_coco/'),
        ('cifar10/resnet8_1xb64_cifar10', 'train', 'data/cifar10_jpeg'),
    ],
)
def test_one_error_names_key_and_folder(
    recipe, option, key, tool, tmp_path, monkeypatch, capsys
):
    if 'bccd' in recipe:
        pytest.importorskip('mmdet')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        tool('train').main([str(CONFIGS / f'{recipe}.py')])
    *_, error = capsys.readouterr().err.splitlines()
    assert f'{option}_dataloader.dataset.data_root: there is no {key!r}' in error
    assert 'docs/datasets.md' in error
    assert not (tmp_path / 'work_dirs').exists()
