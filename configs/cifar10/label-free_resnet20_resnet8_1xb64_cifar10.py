# FAM-KD of the last map and the pooled vector, without the student's own loss: it sees
# images and the teacher's features, no labels. The images are never changed, so that
# tools/cache_teacher.py can keep the features (model.feature_cache).
# linear-probe_resnet8_1xb64_cifar10.py tells what the student's features are worth.
_base_ = [
    '../_base_/methods/famkd.py',
    '../_base_/pairs/cifar10/resnet20_resnet8.py',
]

model = dict(
    **_base_.pair,
    calculate_student_loss=False,
    distiller=dict(
        student_stages=['backbone.layer3', 'neck'],
        teacher_stages=['backbone.layer3', 'neck'],
    ),
)
# No warm-up: there is nothing else to learn from.
custom_hooks = [dict(type='GammaLogHook')]

train_dataloader = dict(
    dataset=dict(with_label=False, pipeline=_base_.test_pipeline),
)
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
default_hooks = dict(checkpoint=dict(save_best=None))
