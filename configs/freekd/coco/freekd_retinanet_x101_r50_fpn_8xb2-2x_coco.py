# First guess: weights, inheritance and learning rate (the weights are those of a loss
# without prompts in the repository of the authors).
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/teachers/retinanet_x101.py',
    '../../_base_/stages/fpn.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/coco_2x.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='bbox_head.retina_reg'))
model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'),
    inherit=['neck', 'bbox_head'],
    input_shape=(3, 256, 256),
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_retinanet_x101_fpn_8xb2-2k_coco/iter_2000.pth',
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
# mmdet's of RetinaNet
optim_wrapper = dict(optimizer=dict(lr=0.01))
