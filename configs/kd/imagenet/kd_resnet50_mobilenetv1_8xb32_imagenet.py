_base_ = '../../_base_/kd_imagenet.py'

model = dict(
    architecture=dict(cfg_path='famkd::vanilla/imagenet/mobilenetv1_8xb32_imagenet.py'),
    teacher=dict(cfg_path='mmpretrain::resnet/resnet50_8xb32_in1k.py'),
    teacher_ckpt='https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth',
)
