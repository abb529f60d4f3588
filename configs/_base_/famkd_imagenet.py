_base_ = [
    './methods/famkd.py',
    './datasets/imagenet_bs32.py',
    'mmpretrain::_base_/schedules/imagenet_bs256.py',
    './default_runtime.py',
]

# The stages of a ResNet; a recipe for other networks names its own.
model = dict(
    input_shape=(3, 224, 224),
    distiller=dict(
        student_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'backbone.layer4',
            'neck',
        ],
        teacher_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'backbone.layer4',
            'neck',
        ],
    ),
)

custom_hooks = [
    dict(type='DistillWarmupHook', length=1),
    dict(type='GammaLogHook', interval=100),
]
