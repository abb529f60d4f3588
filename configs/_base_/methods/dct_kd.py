# The DCT-driven loss and KD: 0.1 cross entropy + DCT + T^2 KL of the logits, T = 4.
_base_ = './dct.py'

model = dict(
    architecture=dict(head=dict(loss=dict(loss_weight=0.1))),
    distiller=dict(logit_loss=dict(type='KLDivergence', tau=4, loss_weight=1.0)),
)
