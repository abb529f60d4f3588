# The weights of the released recipe; its loss: distiller=dict(released=True).
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/pairs/coco_2x/retinanet_r101_r50.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='bbox_head.retina_reg'))
model = dict(
    **_base_.pair,
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_retinanet_r101_fpn_8xb2-2k_coco/iter_2000.pth',
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
