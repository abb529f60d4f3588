# DINOv2 ViT-B without a head: at 224x224 a map of 16x16 patches of 14x14 pixels.
teacher = dict(
    teacher=dict(cfg_path='mmpretrain::dinov2/vit-base-p14_dinov2-pre_headless.py'),
    teacher_ckpt='https://mmassets.onedl.ai/mmpretrain/v1.0/dinov2/vit-base-p14_dinov2-pre_3rdparty_20230426-ba246503.pth',
    teacher_options=dict(dtype='bfloat16'),
)
