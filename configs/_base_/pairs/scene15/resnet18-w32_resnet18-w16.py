_base_ = [
    '../../stages/resnet.py',
    '../../datasets/scene15_bs32.py',
    '../../schedules/scene15_12e.py',
    '../../runtime.py',
]

pair = dict(
    input_shape=(3, 80, 80),
    architecture=dict(cfg_path='famkd::scene15/resnet18-w16_1xb32_scene15.py'),
    teacher=dict(cfg_path='famkd::scene15/resnet18-w32_1xb32_scene15.py'),
    teacher_ckpt='work_dirs/resnet18-w32_1xb32_scene15/epoch_40.pth',
)

# A twelfth of the schedule, as in the papers.
warmup = dict(type='DistillWarmupHook', length=1)
