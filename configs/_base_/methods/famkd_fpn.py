# The same over the five outputs of an FPN, fine to coarse.
_base_ = './famkd.py'

model = dict(
    # Any shape will do: nothing is built for a size.
    input_shape=(3, 256, 256),
    distiller=dict(
        student_stages=[dict(source='neck', data_idx=i) for i in range(5)],
        teacher_stages=[dict(source='neck', data_idx=i) for i in range(5)],
        # The outputs of an FPN have no ReLU, and another size for each image.
        head=dict(type='DynamicFAMHead', with_relu=False),
    ),
)
custom_hooks = [
    dict(type='DistillWarmupHook', length=1000, by_epoch=False),
    dict(type='GammaLogHook', interval=50),
]
