auto_scale_lr = dict(base_batch_size=128)
command = 'python tools/train.py configs/cifar100_24e/fam-reviewkd_resnet56_resnet20_1xb128-24e_cifar100.py --fast --work-dir work_dirs/fam-reviewkd_resnet56_resnet20_1xb128-24e_cifar100_seed0 --resume --cfg-options train_dataloader.dataset.type=CIFAR100Folders val_dataloader.dataset.type=CIFAR100Folders test_dataloader.dataset.type=CIFAR100Folders randomness.seed=0'
custom_hooks = [
    dict(length=2, type='DistillWarmupHook'),
    dict(type='GammaLogHook'),
    dict(type='ChannelsLastHook'),
    dict(type='OldCheckpointHook'),
]
custom_imports = dict(
    allow_failed_imports=False,
    imports=[
        'famkd.models',
        'famkd.engine',
        'famkd.datasets',
    ])
data_preprocessor = dict(
    mean=[
        129.304,
        124.07,
        112.434,
    ],
    num_classes=100,
    std=[
        68.17,
        65.392,
        70.418,
    ],
    to_rgb=False)
dataset_type = 'CIFAR100'
default_hooks = dict(
    checkpoint=dict(
        _scope_='mmpretrain',
        interval=1,
        max_keep_ckpts=2,
        save_best='auto',
        type='CheckpointHook'),
    logger=dict(_scope_='mmpretrain', interval=100, type='LoggerHook'),
    param_scheduler=dict(_scope_='mmpretrain', type='ParamSchedulerHook'),
    runtime=dict(type='RuntimeHook'),
    sampler_seed=dict(_scope_='mmpretrain', type='DistSamplerSeedHook'),
    timer=dict(_scope_='mmpretrain', type='IterTimerHook'),
    visualization=dict(
        _scope_='mmpretrain', enable=False, type='VisualizationHook'))
default_scope = 'mmpretrain'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
launcher = 'none'
load_from = None
log_level = 'INFO'
maps = dict(stages=[
    'backbone.layer1',
    'backbone.layer2',
    'backbone.layer3',
])
model = dict(
    architecture=dict(
        cfg_path='famkd::cifar100_24e/resnet20_1xb128-24e_cifar100.py'),
    distiller=dict(
        fusion=dict(type='ABFusion'),
        head=dict(type='FAMHead', with_relu=False),
        loss=dict(loss_weight=0.6, type='HCLLoss'),
        student_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'neck',
        ],
        teacher_stages=[
            dict(source='backbone.layer1.relu', type='ModuleInputs'),
            dict(source='backbone.layer2.relu', type='ModuleInputs'),
            dict(source='backbone.layer3.relu', type='ModuleInputs'),
            'neck',
        ],
        type='ReviewDistiller'),
    input_shape=(
        3,
        32,
        32,
    ),
    teacher=dict(
        cfg_path='famkd::cifar100_24e/resnet56_1xb128-24e_cifar100.py'),
    teacher_ckpt=
    'checkpoints/resnet56_1xb128-24e_cifar100-267be21f.pth',
    type='mmrazor.FeatureDistill')
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=0.9, type='SGD', weight_decay=0.0005),
    type='CPUAmpOptimWrapper')
pair = dict(
    architecture=dict(
        cfg_path='famkd::cifar100_24e/resnet20_1xb128-24e_cifar100.py'),
    input_shape=(
        3,
        32,
        32,
    ),
    teacher=dict(
        cfg_path='famkd::cifar100_24e/resnet56_1xb128-24e_cifar100.py'),
    teacher_ckpt='checkpoints/resnet56_1xb128-24e_cifar100-267be21f.pth')
param_scheduler = [
    dict(
        begin=0,
        by_epoch=True,
        convert_to_iter_based=True,
        end=1,
        start_factor=0.1,
        type='LinearLR'),
    dict(
        T_max=23,
        begin=1,
        by_epoch=True,
        convert_to_iter_based=True,
        end=24,
        type='CosineAnnealingLR'),
]
randomness = dict(deterministic=False, seed=0)
resume = True
stages = dict(
    student_stages=[
        'backbone.layer1',
        'backbone.layer2',
        'backbone.layer3',
        'neck',
    ],
    teacher_stages=[
        'backbone.layer1',
        'backbone.layer2',
        'backbone.layer3',
        'neck',
    ])
stages_before_relu = dict(
    student_stages=[
        'backbone.layer1',
        'backbone.layer2',
        'backbone.layer3',
        'neck',
    ],
    teacher_stages=[
        dict(source='backbone.layer1.relu', type='ModuleInputs'),
        dict(source='backbone.layer2.relu', type='ModuleInputs'),
        dict(source='backbone.layer3.relu', type='ModuleInputs'),
        'neck',
    ])
test_cfg = dict()
test_dataloader = dict(
    batch_size=256,
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        _scope_='mmpretrain',
        data_root='data/cifar100/',
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='test',
        type='CIFAR100Folders'),
    num_workers=2,
    persistent_workers=True,
    pin_memory=False,
    sampler=dict(_scope_='mmpretrain', shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    _scope_='mmpretrain', topk=(
        1,
        5,
    ), type='Accuracy')
test_pipeline = [
    dict(_scope_='mmpretrain', type='PackInputs'),
]
train_cfg = dict(by_epoch=True, max_epochs=24, val_interval=1)
train_dataloader = dict(
    batch_size=128,
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        _scope_='mmpretrain',
        data_root='data/cifar100',
        pipeline=[
            dict(crop_size=32, padding=4, type='RandomCrop'),
            dict(direction='horizontal', prob=0.5, type='RandomFlip'),
            dict(type='PackInputs'),
        ],
        split='train',
        type='CIFAR100Folders'),
    num_workers=2,
    persistent_workers=True,
    pin_memory=False,
    sampler=dict(_scope_='mmpretrain', shuffle=True, type='DefaultSampler'))
train_pipeline = [
    dict(_scope_='mmpretrain', crop_size=32, padding=4, type='RandomCrop'),
    dict(
        _scope_='mmpretrain',
        direction='horizontal',
        prob=0.5,
        type='RandomFlip'),
    dict(_scope_='mmpretrain', type='PackInputs'),
]
val_cfg = dict()
val_dataloader = dict(
    batch_size=256,
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        _scope_='mmpretrain',
        data_root='data/cifar100/',
        pipeline=[
            dict(type='PackInputs'),
        ],
        split='test',
        type='CIFAR100Folders'),
    num_workers=2,
    persistent_workers=True,
    pin_memory=False,
    sampler=dict(_scope_='mmpretrain', shuffle=False, type='DefaultSampler'))
val_evaluator = dict(
    _scope_='mmpretrain', topk=(
        1,
        5,
    ), type='Accuracy')
vis_backends = [
    dict(_scope_='mmpretrain', type='LocalVisBackend'),
]
visualizer = dict(
    _scope_='mmpretrain',
    type='UniversalVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
warmup = dict(length=2, type='DistillWarmupHook')
work_dir = 'work_dirs/fam-reviewkd_resnet56_resnet20_1xb128-24e_cifar100_seed0'
