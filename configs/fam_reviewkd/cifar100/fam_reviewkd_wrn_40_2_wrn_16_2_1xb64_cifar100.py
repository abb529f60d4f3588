_base_ = '../../_base_/fam_reviewkd_cifar100.py'

model = dict(
    architecture=dict(cfg_path='famkd::vanilla/cifar100/wrn_16_2_1xb64_cifar100.py'),
    teacher=dict(cfg_path='famkd::vanilla/cifar100/wrn_40_2_1xb64_cifar100.py'),
    teacher_ckpt='work_dirs/wrn_40_2_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        loss=dict(loss_weight=5.0),
        # Before the ReLU that follows each stage.
        teacher_stages=[
            dict(type='ModuleInputs', source='backbone.layer2.0.relu1'),
            dict(type='ModuleInputs', source='backbone.layer3.0.relu1'),
            dict(type='ModuleInputs', source='backbone.post.relu'),
            'neck',
        ],
    ),
)
