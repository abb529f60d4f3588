_base_ = ['../../stages/cifar_resnet.py', '../cifar100.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/resnet8x4_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/resnet32x4_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/resnet32x4_1xb64_cifar100/epoch_240.pth',
)

# The student's maps before the last ReLU of each stage, too.
stages = stages_before_relu = dict(
    student_stages=[
        dict(type='ModuleInputs', source='backbone.layer1.relu'),
        dict(type='ModuleInputs', source='backbone.layer2.relu'),
        dict(type='ModuleInputs', source='backbone.layer3.relu'),
        'neck',
    ],
)
