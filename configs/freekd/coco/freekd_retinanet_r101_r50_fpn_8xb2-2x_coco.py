# The weights of the released recipe; its loss: distiller=dict(released=True).
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/teachers/retinanet_r101.py',
    '../../_base_/stages/fpn.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/coco_2x.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='bbox_head.retina_reg'))
model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'),
    input_shape=(3, 256, 256),
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_retinanet_r101_fpn_8xb2-2k_coco/iter_2000.pth',
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
