# First guess: weights (RetinaNet's, without regression) and learning rate; nobody has
# published any.
_base_ = [
    '../../_base_/methods/freekd.py',
    '../../_base_/pairs/coco_2x/reppoints_x101-dcn_r50.py',
]

model = dict(
    **_base_.pair,
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_reppoints_x101-dcn_fpn_8xb2-2k_coco/iter_2000.pth',
    ),
)
