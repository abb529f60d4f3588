# SAM's image encoder at its own size: a map of 64x64 patches, of 256 channels.
teacher = dict(
    teacher=dict(cfg_path='mmpretrain::sam/vit-base-p16_sam_headless.py'),
    teacher_ckpt='https://mmassets.onedl.ai/mmclassification/v1/vit_sam/vit-base-p16_sam-pre_3rdparty_sa1b-1024px_20230411-2320f9cc.pth',
    teacher_options=dict(dtype='bfloat16', input_size=1024),
)
