# The student with FAM-KD.
_base_ = ['../_base_/methods/famkd.py', './digits_few.py']

stages = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck']
model = dict(
    input_shape=(3, 32, 32),
    architecture=dict(cfg_path='famkd::demo/resnet8_digits.py'),
    teacher=dict(cfg_path='famkd::demo/resnet20_digits.py'),
    teacher_ckpt='work_dirs/demo/teacher/epoch_8.pth',
    distiller=dict(
        student_stages=stages, teacher_stages=stages, loss=dict(loss_weight=5.0)
    ),
)
