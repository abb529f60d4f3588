_base_ = ['../../stages/resnet.py', '../ade20k.py']

pair = dict(
    architecture=dict(cfg_path='famkd::vanilla/ade20k/mobilenet-v2_1xb128_ade20k.py'),
    teacher=dict(cfg_path='famkd::vanilla/ade20k/resnet50_1xb128_ade20k.py'),
    teacher_ckpt='work_dirs/resnet50_1xb128_ade20k/epoch_70.pth',
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
