_base_ = '../coco.py'

pair = dict(
    architecture=dict(cfg_path='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'),
    teacher=dict(cfg_path='mmdet::retinanet/retinanet_r101_fpn_2x_coco.py'),
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/retinanet/retinanet_r101_fpn_2x_coco/retinanet_r101_fpn_2x_coco_20200131-5560aee8.pth',
)

# mmdet's learning rate of RetinaNet, 0.01 at batch 16, by the linear rule.
optim_wrapper = dict(optimizer=dict(lr=0.005))
