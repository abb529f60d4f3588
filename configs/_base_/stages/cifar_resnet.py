# The stages of a ResNet for CIFAR, and of networks with its names.
stages = dict(
    student_stages=['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck'],
    teacher_stages=['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck'],
)
# The teacher's maps before the last ReLU of each stage, as ReviewKD takes them.
stages_before_relu = dict(
    student_stages=['backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck'],
    teacher_stages=[
        dict(type='ModuleInputs', source='backbone.layer1.relu'),
        dict(type='ModuleInputs', source='backbone.layer2.relu'),
        dict(type='ModuleInputs', source='backbone.layer3.relu'),
        'neck',
    ],
)
# The maps alone, where a loss compares places.
maps = dict(stages=['backbone.layer1', 'backbone.layer2', 'backbone.layer3'])
