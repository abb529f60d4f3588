_base_ = '../imagenet_transformers.py'

pair = dict(
    architecture=dict(
        cfg_path='mmpretrain::swin_transformer/swin-tiny_16xb64_in1k.py',
        backbone=dict(drop_path_rate=0.0),  # as SpectralKD trains it
    ),
    teacher=dict(cfg_path='mmpretrain::swin_transformer/swin-small_16xb64_in1k.py'),
    teacher_ckpt='https://mmassets.onedl.ai/mmclassification/v0/swin-transformer/swin_small_224_b16x64_300e_imagenet_20210615_110219-7f9d988b.pth',
)
# The last block of each stage: what a stage gives is downsampled already.
maps = dict(
    student_stages=[
        'backbone.stages.0.blocks.1',
        'backbone.stages.1.blocks.1',
        'backbone.stages.2.blocks.5',
        'backbone.stages.3.blocks.1',
    ],
    teacher_stages=[
        'backbone.stages.0.blocks.1',
        'backbone.stages.1.blocks.1',
        'backbone.stages.2.blocks.17',
        'backbone.stages.3.blocks.1',
    ],
)
