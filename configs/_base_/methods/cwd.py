# CWD: where each class is, a distribution over the places of its map of scores, T = 1.
# https://arxiv.org/abs/2011.13256
_base_ = './kd_pixels.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            _delete_=True,
            loss_cwd=dict(type='ChannelWiseDivergence', tau=1, loss_weight=5.0),
        ),
        loss_forward_mappings=dict(
            _delete_=True,
            loss_cwd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
            ),
        ),
    ),
)
