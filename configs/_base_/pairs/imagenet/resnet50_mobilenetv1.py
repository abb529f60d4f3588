_base_ = ['../../stages/resnet.py', '../imagenet.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/imagenet/mobilenetv1_8xb32_in1k.py'),
    teacher=dict(cfg_path='mmpretrain::resnet/resnet50_8xb32_in1k.py'),
    teacher_ckpt='https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth',
)

# The student's maps before the last ReLU of each stage, too.
stages = stages_before_relu = dict(
    student_stages=[
        dict(type='ModuleInputs', source='backbone.layer1.relu'),
        dict(type='ModuleInputs', source='backbone.layer2.relu'),
        dict(type='ModuleInputs', source='backbone.layer3.relu'),
        dict(type='ModuleInputs', source='backbone.layer4.relu'),
        'neck',
    ],
)
