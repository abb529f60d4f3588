# A ViT-B, and a MobileNetV2 by its maps of strides 4, 8, 16 and 32.
_base_ = './dinov2-base_resnet.py'

stages = dict(
    student_stages=[
        'backbone.layer2',
        'backbone.layer3',
        'backbone.layer5',
        'backbone.conv2',
    ],
)
last_stages = dict(student_stages=['backbone.layer5', 'backbone.conv2'])
