# A wide ResNet as the teacher: the ReLU after a stage is in the next module.
_base_ = './cifar_resnet.py'

stages_before_relu = dict(
    teacher_stages=[
        dict(type='ModuleInputs', source='backbone.layer2.0.relu1'),
        dict(type='ModuleInputs', source='backbone.layer3.0.relu1'),
        dict(type='ModuleInputs', source='backbone.post.relu'),
        'neck',
    ],
)
