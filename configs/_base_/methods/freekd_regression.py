# FreeKD, stage 2, and a smooth L1 loss between what five levels of the heads regress:
# a recipe names the convolution as the recorder `regression` of both networks.
_base_ = './freekd.py'

levels = range(5)
model = dict(
    distiller=dict(
        distill_losses={
            f'loss_regression{i + 1}': dict(type='mmdet.SmoothL1Loss', beta=1.0)
            for i in levels
        },
        loss_forward_mappings={
            f'loss_regression{i + 1}': dict(
                pred=dict(from_student=True, recorder='regression', record_idx=i),
                target=dict(from_student=False, recorder='regression', record_idx=i),
            )
            for i in levels
        },
    ),
)
del levels
