"""Options of train.py and test.py, and errors in them."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

import famkd.registry  # noqa: F401 (as load_config does)
from famkd.apis import cli, optional


def config():
    data = dict(dataset=dict(type='ConcatDataset'), sampler=dict(type='DefaultSampler'))
    return Config(
        dict(
            model=dict(type='Net'),
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)),
            train_dataloader=dict(num_workers=2, pin_memory=True, **data),
            val_dataloader=dict(num_workers=0, **data),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            val_cfg=dict(),
            val_evaluator=dict(type='DumpResults'),
            test_cfg=dict(),
            auto_scale_lr=dict(base_batch_size=64),
        )
    )


@pytest.fixture
def merge(tool):
    """Merges options of train.py into a config."""

    def merge(*options, cfg=None):
        cfg, parser = cfg or config(), tool('train').build_parser()
        args = parser.parse_args(['config.py', *options])
        cli.merge_cfg_options(parser, cfg, args.cfg_options)  # as load_config does
        tool('train').merge_args(parser, cfg, args)
        return cfg

    return merge


def test_dataloader_options(merge):
    cfg = merge()
    assert cfg.train_dataloader.persistent_workers
    assert not cfg.val_dataloader.persistent_workers  # it has no workers
    assert cfg.train_dataloader.pin_memory
    cfg = merge('--no-pin-memory', '--no-persistent-workers')
    assert not cfg.train_dataloader.persistent_workers
    assert not cfg.train_dataloader.pin_memory


def test_classifiers_collate_a_batch_into_one_tensor(merge):
    cfg = config()
    assert 'collate_fn' not in merge(cfg=cfg).train_dataloader
    cfg.default_scope = 'mmpretrain'
    cfg.val_dataloader.collate_fn = dict(type='pseudo_collate')
    merge(cfg=cfg)
    assert cfg.train_dataloader.collate_fn.type == 'default_collate'
    assert cfg.val_dataloader.collate_fn.type == 'pseudo_collate'


def test_no_validate(merge):
    cfg = merge('--no-validate')
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None


def test_resume(merge, tmp_path):
    for options in (['--resume'], ['--resume', 'auto']):
        cfg = merge(*options)
        assert (cfg.resume, cfg.load_from) == (True, None)
    checkpoint = tmp_path / 'epoch_1.pth'
    checkpoint.touch()
    assert merge('--resume', str(checkpoint)).load_from == str(checkpoint)


def test_auto_scale_lr(merge):
    assert merge('--auto-scale-lr').auto_scale_lr.enable


def test_amp_depends_on_the_device(merge, monkeypatch):
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cuda')
    wrapper = merge('--amp').optim_wrapper
    assert (wrapper.type, wrapper.loss_scale) == ('AmpOptimWrapper', 'dynamic')
    wrapper = merge('--amp', '--cfg-options', 'optim_wrapper.dtype=bfloat16')
    assert wrapper.optim_wrapper.dtype == 'bfloat16'
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cpu')
    assert merge('--amp').optim_wrapper.type == 'CPUAmpOptimWrapper'
    # A config for GPUs trains on a CPU as it is.
    cfg = config()
    cfg.optim_wrapper.update(type='AmpOptimWrapper', loss_scale=512.0, dtype='float16')
    assert merge(cfg=cfg).optim_wrapper == {
        'type': 'CPUAmpOptimWrapper',
        'optimizer': {'type': 'SGD', 'lr': 0.1},
    }


def test_cfg_options_come_first(merge, monkeypatch):
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cpu')
    cfg = merge(
        '--no-pin-memory',
        '--cfg-options',
        'train_dataloader.pin_memory=True',
        'train_dataloader.num_workers=0',
        'optim_wrapper.type=AmpOptimWrapper',
        'optim_wrapper.optimizer.lr=0.2',
        'model.stages=[1,2]',
        'randomness.seed=3',
    )
    assert not cfg.train_dataloader.pin_memory
    assert not cfg.train_dataloader.persistent_workers  # which needs workers
    assert cfg.optim_wrapper.type == 'CPUAmpOptimWrapper'
    assert cfg.optim_wrapper.optimizer.lr == 0.2
    assert cfg.model.stages == [1, 2]
    assert cfg.randomness.seed == 3  # Runner takes it, the config has it not


@pytest.mark.parametrize(
    'options, messages',
    [
        (
            ['--cfg-options', 'optim_wraper.optimizer.lr=1'],
            ['optim_wraper.optimizer.lr', 'did you mean optim_wrapper?'],
        ),
        (['--cfg-options', 'model.type.name=x'], ['--cfg-options: model.type.name']),
        (['--cfg-options', 'work_dir'], ["'work_dir' is not KEY=VALUE"]),
        (['--resume', 'gone.pth'], ["--resume: there is no file 'gone.pth'"]),
        (['--cfg-options', 'test_dataloader=a'], ["test_dataloader='a' must"]),
    ],
)
def test_bad_options(merge, capsys, options, messages):
    with pytest.raises(SystemExit):
        merge(*options)
    error = capsys.readouterr().err
    assert all(message in error for message in messages), error


def test_auto_scale_lr_needs_a_batch_size(merge, capsys):
    cfg = config()
    cfg.pop('auto_scale_lr')
    with pytest.raises(SystemExit):
        merge('--auto-scale-lr', cfg=cfg)
    assert 'no auto_scale_lr.base_batch_size' in capsys.readouterr().err


@pytest.mark.parametrize('script', ['train', 'test'])
def test_missing_config(tool, capsys, script):
    argv = ['gone.py', 'gone.pth'] if script == 'test' else ['gone.py']
    with pytest.raises(SystemExit):
        tool(script).main(argv)
    assert "config: there is no file 'gone.py'" in capsys.readouterr().err


@pytest.mark.parametrize(
    'text',
    [
        "_base_ = 'mmseg::_base_/models/pspnet_r50-d8.py'",
        "custom_imports = dict(imports='uses_mmseg')",
        "default_scope = 'mmseg'",
    ],
)
def test_package_of_another_task_that_is_missing(
    text, tool, capsys, monkeypatch, tmp_path
):
    from mmengine.config.utils import MODULE2PACKAGE

    # As famkd.registry has it where there is no mmseg.
    monkeypatch.setitem(MODULE2PACKAGE, 'mmseg', 'onedl-no-mmsegmentation')
    monkeypatch.setattr(optional, 'find_spec', lambda name: None)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'uses_mmseg.py').write_text('import mmseg_that_is_missing')
    path = tmp_path / 'segmentor.py'
    path.write_text(text)
    with pytest.raises(SystemExit):
        tool('train').main([str(path)])
    message = capsys.readouterr().err.splitlines()[-1]
    assert 'segmentor.py: mmseg is not installed' in message
    assert "pip install -e '.[seg]'" in message


@pytest.mark.parametrize(
    'options, message',
    [
        (['gone.pth'], "checkpoint: there is no file 'gone.pth'"),
        (['gone.pth', '--out-item', 'pred'], '--out-item: give the file'),
        (['gone.pth', '--out', 'x.json'], "go to a .pkl file, got 'x.json'"),
        (
            ['gone.pth', '--out', 'x.csv', '--out-item', 'metrics'],
            "metrics go to a .json, .yaml, .yml, .pkl, .pickle file, got 'x.csv'",
        ),
    ],
)
def test_bad_options_of_test(tool, capsys, options, message):
    parser = tool('test').build_parser()
    with pytest.raises(SystemExit):
        tool('test').merge_args(
            parser, config(), parser.parse_args(['config.py', *options])
        )
    assert message in capsys.readouterr().err


def test_work_dir_is_named_after_the_config(tool, tmp_path):
    path = tmp_path / 'my_config.py'
    path.write_text('model = dict()')
    parser = tool('train').build_parser()

    def work_dir(*options):
        args = parser.parse_args([str(path), *options])
        return cli.load_config(parser, args).work_dir

    assert work_dir() == './work_dirs/my_config'
    assert work_dir('--work-dir', 'there') == 'there'
    assert work_dir('--cfg-options', 'work_dir=option') == 'option'
    options = '--work-dir', 'there', '--cfg-options', 'work_dir=option'
    assert work_dir(*options) == 'there'
    path.write_text('work_dir = "here"')
    assert work_dir() == 'here'


def test_other_launchers_need_gpus(tool, capsys, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    parser = tool('train').build_parser()
    with pytest.raises(SystemExit):
        cli.build_runner(parser, Config(dict(launcher='slurm')))
    assert '--launcher slurm needs GPUs' in capsys.readouterr().err


def test_synchronized_bn_needs_gpus(tool, capsys, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    parser = tool('train').build_parser()
    with pytest.raises(SystemExit):
        cli.build_runner(parser, Config(dict(launcher='pytorch', sync_bn='torch')))
    assert "sync_bn='torch' needs GPUs" in capsys.readouterr().err


def test_an_optimizer_that_cannot_be_saved(tool, capsys):
    optimizer = dict(type='ZeroRedundancyOptimizer', optimizer_type='SGD', lr=0.1)
    cfg = Config(dict(launcher='pytorch', optim_wrapper=dict(optimizer=optimizer)))
    with pytest.raises(SystemExit):
        cli.build_runner(tool('train').build_parser(), cfg)
    assert 'ZeroRedundancyOptimizer waits forever' in capsys.readouterr().err


def test_each_process_needs_a_gpu_of_its_own(tool, capsys, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    monkeypatch.setenv('LOCAL_RANK', '2')
    parser = tool('train').build_parser()
    with pytest.raises(SystemExit):
        cli.build_runner(parser, Config(dict(launcher='pytorch')))
    assert 'process 2 has no GPU: this machine has 2' in capsys.readouterr().err


def test_threads_are_shared_by_the_processes(monkeypatch, capsys):
    counts = []
    monkeypatch.setattr('torch.set_num_threads', counts.append)
    monkeypatch.setattr(cli, 'usable_cores', lambda: 12)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '5')
    monkeypatch.delenv('OMP_NUM_THREADS')
    cli.set_thread_count()
    assert capsys.readouterr().out.startswith('OMP_NUM_THREADS is not set: 2 ')
    monkeypatch.setenv('OMP_NUM_THREADS', '7')
    cli.set_thread_count()
    assert counts == [2]
    assert not capsys.readouterr().out


def test_channels_last_is_a_hook(merge):
    assert 'custom_hooks' not in merge()
    assert merge('--channels-last').custom_hooks == [dict(type='ChannelsLastHook')]
    cleared = config()
    cleared.custom_hooks = None
    assert merge('--channels-last', cfg=cleared).custom_hooks == [
        dict(type='ChannelsLastHook')
    ]


def test_fast_is_amp_and_channels_last(merge):
    fast, both = merge('--fast'), merge('--amp', '--channels-last')
    assert fast.to_dict() == both.to_dict() != merge().to_dict()


def test_the_help_of_train_imports_no_framework():
    code = """
import runpy, sys
try:
    runpy.run_path('tools/train.py', run_name='__main__')
except SystemExit:
    print({'torch', 'mmengine', 'mmcv'} & set(sys.modules))
"""
    result = subprocess.run(
        [sys.executable, '-c', code, '--help'],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert result.stdout.startswith('usage:') and result.stdout.endswith('set()\n')


def test_a_mistake_in_the_config_is_one_line(merge, capsys):
    with pytest.raises(SystemExit):
        merge('--cfg-options', 'train_cfg.val_interval=0', 'randomness.seed=abc')
    *_, error = capsys.readouterr().err.splitlines()
    message = 'train_cfg.val_interval=0 must be a whole number of at least 1'
    assert error.endswith(f': error: {message}')


@pytest.mark.parametrize('key', ['train_cfg', 'train_dataloader', 'optim_wrapper'])
@pytest.mark.parametrize('options', [[], ['--amp']], ids=str)
def test_a_config_that_trains_nothing(key, options, merge, capsys):
    cfg = config()
    cfg[key] = None
    with pytest.raises(SystemExit):
        merge(*options, cfg=cfg)
    assert f'{key} is missing, or no dict' in capsys.readouterr().err
