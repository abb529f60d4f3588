# The student with FAM-KD.
_base_ = [
    '../_base_/methods/famkd.py',
    '../_base_/stages/cifar_resnet.py',
    './digits_few.py',
]

model = dict(
    input_shape=(3, 32, 32),
    architecture=dict(cfg_path='famkd::demo/resnet8_digits.py'),
    teacher=dict(cfg_path='famkd::demo/resnet20_digits.py'),
    teacher_ckpt='work_dirs/resnet20_digits/epoch_8.pth',
    distiller=dict(**_base_.stages, loss=dict(loss_weight=5.0)),
)
