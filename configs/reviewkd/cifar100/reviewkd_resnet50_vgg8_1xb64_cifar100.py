_base_ = '../../_base_/reviewkd_cifar100.py'

model = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/vgg8_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet50_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet50_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        loss=dict(loss_weight=5.0),
        student_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'backbone.layer4',
            'neck',
        ],
        teacher_stages=[
            dict(type='ModuleInputs', source='backbone.layer1.relu'),
            dict(type='ModuleInputs', source='backbone.layer2.relu'),
            dict(type='ModuleInputs', source='backbone.layer3.relu'),
            dict(type='ModuleInputs', source='backbone.layer4.relu'),
            'neck',
        ],
    ),
)
