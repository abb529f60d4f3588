# 49.0 AP on COCO.
teacher = dict(
    teacher=dict(cfg_path='mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py'),
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v3.0/dino/dino-4scale_r50_8xb2-12e_coco/dino-4scale_r50_8xb2-12e_coco_20221202_182705-55b2bba2.pth',
)
