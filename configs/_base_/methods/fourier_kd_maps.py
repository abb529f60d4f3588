# FourierKD on one map of the backbone, which a 1x1 convolution brings to the teacher's
# channels; the authors' weight for it.
_base_ = './fourier_kd_fpn.py'

model = dict(
    distiller=dict(
        stages=['backbone.layer4'],
        connector=dict(type='ConvHead', kernel_size=1),
        stage_loss=dict(loss_weight=41.0),
    ),
)
