_base_ = ['../coco_2x.py', '../../teachers/reppoints_x101-dcn.py']

pair = dict(
    **_base_.teacher,
    architecture=dict(
        cfg_path='mmdet::reppoints/reppoints-moment_r50_fpn-gn_head-gn_2x_coco.py'
    ),
)

# mmdet's of RepPoints
optim_wrapper = dict(optimizer=dict(lr=0.01))
