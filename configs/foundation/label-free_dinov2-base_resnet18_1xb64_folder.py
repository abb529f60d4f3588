# A ResNet-18 learns the features of DINOv2 from images without labels (data_root).
_base_ = [
    '../_base_/methods/famkd_tokens.py',
    '../_base_/teachers/dinov2-base.py',
    '../_base_/stages/dinov2-base_resnet.py',
    '../_base_/datasets/folder_bs64.py',
    '../_base_/schedules/folder_100e.py',
    '../_base_/runtime.py',
]

model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmpretrain::resnet/resnet18_8xb32_in1k.py', head=None),
    calculate_student_loss=False,
    input_shape=(3, 224, 224),
    distiller=dict(**_base_.stages),
)
custom_hooks = [dict(type='GammaLogHook')]
default_hooks = dict(checkpoint=dict(save_best=None))
