# FreeKD, stage 2, on one map of the backbone, which has no next level to relate to.
_base_ = './freekd.py'

model = dict(distiller=dict(stages=['backbone.layer4'], relation=False))
