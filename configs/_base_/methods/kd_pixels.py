# KD of a segmentor: its own loss, and KL of the softened scores of every pixel, T = 1.
# https://arxiv.org/abs/1503.02531
model = dict(
    type='mmrazor.FeatureDistill',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='decode_head.conv_seg')
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='decode_head.conv_seg')
        ),
        distill_losses=dict(
            loss_kl=dict(type='PixelWiseDivergence', tau=1, loss_weight=1.0),
        ),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
            ),
        ),
    ),
)
