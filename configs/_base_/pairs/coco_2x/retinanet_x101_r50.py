_base_ = ['../coco_2x.py', '../../teachers/retinanet_x101.py']

pair = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'),
)

# mmdet's of RetinaNet
optim_wrapper = dict(optimizer=dict(lr=0.01))
