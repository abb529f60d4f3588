# 81.94 mIoU on Cityscapes.
teacher = dict(
    teacher=dict(
        cfg_path='mmseg::segformer/segformer_mit-b3_8xb1-160k_cityscapes-1024x1024.py'
    ),
    teacher_ckpt='https://download.openmmlab.com/mmsegmentation/v0.5/segformer/segformer_mit-b3_8x1_1024x1024_160k_cityscapes/segformer_mit-b3_8x1_1024x1024_160k_cityscapes_20211206_224823-a8f8a177.pth',
)
