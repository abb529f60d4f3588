# First guess: weights, inheritance and learning rate (the weights are those of a loss
# without prompts in the repository of the authors).
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/pairs/coco_2x/retinanet_x101_r50.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='bbox_head.retina_reg'))
model = dict(
    **_base_.pair,
    inherit=['neck', 'bbox_head'],
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_retinanet_x101_fpn_8xb2-2k_coco/iter_2000.pth',
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
