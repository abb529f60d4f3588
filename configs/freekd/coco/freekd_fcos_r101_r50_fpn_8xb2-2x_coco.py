# First guess: weights and inheritance (those of a loss without prompts in the authors'
# repository), and mmdet's settings of FCOS.
_base_ = [
    '../../_base_/methods/freekd.py',
    '../../_base_/teachers/fcos_r101.py',
    '../../_base_/stages/fpn.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/coco_2x.py',
]

model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py'),
    inherit=['neck', 'bbox_head'],
    input_shape=(3, 256, 256),
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_fcos_r101_fpn_8xb2-2k_coco/iter_2000.pth',
        loss_weight=5.0,
        mse_weight=10.0,
    ),
)
optim_wrapper = dict(
    optimizer=dict(lr=0.01),
    paramwise_cfg=dict(bias_lr_mult=2.0, bias_decay_mult=0.0),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(
                type='RandomChoiceResize',
                scales=[(1333, 640), (1333, 800)],
                keep_ratio=True,
            ),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackDetInputs'),
        ]
    )
)
