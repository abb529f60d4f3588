custom_hooks = [
    dict(length=4, type='DistillWarmupHook'),
    dict(interval=2, type='GammaLogHook'),
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
        127.5,
        127.5,
        127.5,
    ],
    num_classes=10,
    std=[
        127.5,
        127.5,
        127.5,
    ],
    type='ClsDataPreprocessor')
default_hooks = dict(
    checkpoint=dict(
        _scope_='mmpretrain',
        interval=2,
        max_keep_ckpts=1,
        save_best=None,
        type='CheckpointHook'),
    logger=dict(_scope_='mmpretrain', interval=10, type='LoggerHook'),
    param_scheduler=dict(_scope_='mmpretrain', type='ParamSchedulerHook'),
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
model = dict(
    architecture=dict(cfg_path='famkd::demo/resnet8_digits.py'),
    distiller=dict(
        fusion=dict(type='CrossAttentionFusion'),
        head=dict(type='FAMHead'),
        loss=dict(loss_weight=5.0, type='StageMSELoss'),
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
        ],
        type='ReviewDistiller'),
    input_shape=(
        3,
        32,
        32,
    ),
    teacher=dict(cfg_path='famkd::demo/resnet20_digits.py'),
    teacher_ckpt='runs/teacher/epoch_3.pth',
    type='mmrazor.FeatureDistill')
optim_wrapper = dict(
    optimizer=dict(lr=0.05, momentum=0.9, type='SGD', weight_decay=0.0005))
param_scheduler = dict(
    T_max=12,
    by_epoch=True,
    convert_to_iter_based=True,
    type='CosineAnnealingLR')
randomness = dict(deterministic=False, seed=1)
resize = dict(scale=32, type='Resize')
resume = True
stages = [
    'backbone.layer1',
    'backbone.layer2',
    'backbone.layer3',
    'neck',
]
test_cfg = dict()
test_dataloader = dict(
    batch_size=200,
    dataset=dict(
        pipeline=[
            dict(scale=32, type='Resize'),
            dict(type='PackInputs'),
        ],
        split='test',
        type='Digits'),
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(topk=(1, ), type='Accuracy')
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=3)
train_dataloader = dict(
    batch_size=25,
    dataset=dict(
        num_per_class=5,
        pipeline=[
            dict(scale=32, type='Resize'),
            dict(crop_size=32, padding=4, type='RandomCrop'),
            dict(type='PackInputs'),
        ],
        split='train',
        type='Digits'),
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(shuffle=True, type='DefaultSampler'))
val_cfg = dict()
val_dataloader = dict(
    batch_size=200,
    dataset=dict(
        pipeline=[
            dict(scale=32, type='Resize'),
            dict(type='PackInputs'),
        ],
        split='test',
        type='Digits'),
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(topk=(1, ), type='Accuracy')
vis_backends = [
    dict(_scope_='mmpretrain', type='LocalVisBackend'),
]
visualizer = dict(
    _scope_='mmpretrain',
    type='UniversalVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = 'runs/famkd_seed1'
