_base_ = '../../_base_/famkd_l2l_cifar100.py'

stages = [
    'backbone.layer1',
    'backbone.layer2',
    'backbone.layer3',
    'backbone.layer4',
    'neck',
]
model = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/vgg8_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/vgg13_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/vgg13_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        loss=dict(loss_weight=20.0),
        student_stages=stages,
        teacher_stages=stages,
    ),
)
