_base_ = '../imagenet_transformers.py'

pair = dict(
    architecture=dict(cfg_path='mmpretrain::deit/deit-tiny_4xb256_in1k.py'),
    teacher=dict(cfg_path='mmpretrain::deit/deit-base_16xb64_in1k.py'),
    teacher_ckpt='https://mmassets.onedl.ai/mmclassification/v0/deit/deit-base_pt-16xb64_in1k_20220216-db63c16c.pth',
)
# The tokens of the first two and of the last six blocks, as SpectralKD takes them.
maps = dict(stages=[f'backbone.layers.{i}' for i in (0, 1, 6, 7, 8, 9, 10, 11)])

train_dataloader = dict(batch_size=256)
# mmpretrain's of DeiT
optim_wrapper = dict(
    paramwise_cfg=dict(
        bias_decay_mult=0.0,
        custom_keys={
            '.cls_token': dict(decay_mult=0.0),
            '.pos_embed': dict(decay_mult=0.0),
        },
    )
)
