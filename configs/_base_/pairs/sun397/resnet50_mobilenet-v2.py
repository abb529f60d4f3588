_base_ = ['../../stages/resnet.py', '../sun397.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/sun397/mobilenet-v2_1xb128_sun397.py'),
    teacher=dict(cfg_path='famkd::vanilla/sun397/resnet50_1xb128_sun397.py'),
    teacher_ckpt='work_dirs/resnet50_1xb128_sun397/epoch_70.pth',
)

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
