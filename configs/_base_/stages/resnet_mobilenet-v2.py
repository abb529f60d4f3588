# A ResNet, and a MobileNetV2 that learns from its four stages.
_base_ = './resnet.py'

# The last blocks of strides 4, 8 and 16, and the last convolution.
maps = dict(
    _delete_=True,
    student_stages=[
        'backbone.layer2',
        'backbone.layer3',
        'backbone.layer5',
        'backbone.conv2',
    ],
    teacher_stages=[
        'backbone.layer1',
        'backbone.layer2',
        'backbone.layer3',
        'backbone.layer4',
    ],
)
