# FAM-KD, and KD of the logits next to it: CE + alpha FAM-KD + 0.9 KD, T = 4.
_base_ = './famkd.py'

model = dict(
    distiller=dict(logit_loss=dict(type='KLDivergence', tau=4, loss_weight=0.9)),
)
