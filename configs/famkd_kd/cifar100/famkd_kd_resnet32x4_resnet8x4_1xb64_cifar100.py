_base_ = '../../_base_/famkd_kd_cifar100.py'

model = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/resnet8x4_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet32x4_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet32x4_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        loss=dict(loss_weight=20.0),
        # Before the last ReLU of each stage.
        student_stages=[
            dict(type='ModuleInputs', source='backbone.layer1.relu'),
            dict(type='ModuleInputs', source='backbone.layer2.relu'),
            dict(type='ModuleInputs', source='backbone.layer3.relu'),
            'neck',
        ],
    ),
)
