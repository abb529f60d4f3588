# First guess: weights (RetinaNet's, without regression) and learning rate; nobody has
# published any.
_base_ = [
    '../../_base_/methods/freekd.py',
    '../../_base_/teachers/reppoints_x101-dcn.py',
    '../../_base_/stages/fpn.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/coco_2x.py',
]

model = dict(
    **_base_.teacher,
    architecture=dict(
        cfg_path='mmdet::reppoints/reppoints-moment_r50_fpn-gn_head-gn_2x_coco.py'
    ),
    input_shape=(3, 256, 256),
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_reppoints_x101-dcn_fpn_8xb2-2k_coco/iter_2000.pth',
    ),
)
# mmdet's of RepPoints
optim_wrapper = dict(optimizer=dict(lr=0.01))
