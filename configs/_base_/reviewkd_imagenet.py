_base_ = [
    './methods/reviewkd.py',
    './datasets/imagenet_bs32.py',
    'mmpretrain::_base_/schedules/imagenet_bs256.py',
    './default_runtime.py',
]

# The stages of a ResNet; a recipe for other networks names its own.
model = dict(
    input_shape=(3, 224, 224),
    # mmpretrain's ResNet with the last ReLU of each stage as a module.
    teacher=dict(backbone=dict(type='StageReLUResNet')),
    distiller=dict(
        student_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'backbone.layer4',
            'neck',
        ],
        # The teacher's features are those before the ReLU.
        teacher_stages=[
            dict(type='ModuleInputs', source='backbone.layer1.relu'),
            dict(type='ModuleInputs', source='backbone.layer2.relu'),
            dict(type='ModuleInputs', source='backbone.layer3.relu'),
            dict(type='ModuleInputs', source='backbone.layer4.relu'),
            'neck',
        ],
    ),
)

custom_hooks = [
    dict(type='DistillWarmupHook', length=1),
    dict(type='GammaLogHook', interval=100),
]
