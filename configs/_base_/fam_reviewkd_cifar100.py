_base_ = [
    './methods/fam_reviewkd.py',
    './datasets/cifar100_bs64.py',
    './schedules/cifar100_240e.py',
    './default_runtime.py',
]

# The stages of a CIFAR ResNet; a recipe for other networks names its own.
model = dict(
    input_shape=(3, 32, 32),
    distiller=dict(
        student_stages=[
            'backbone.layer1',
            'backbone.layer2',
            'backbone.layer3',
            'neck',
        ],
        # The teacher's features are those before the ReLU.
        teacher_stages=[
            dict(type='ModuleInputs', source='backbone.layer1.relu'),
            dict(type='ModuleInputs', source='backbone.layer2.relu'),
            dict(type='ModuleInputs', source='backbone.layer3.relu'),
            'neck',
        ],
    ),
)
