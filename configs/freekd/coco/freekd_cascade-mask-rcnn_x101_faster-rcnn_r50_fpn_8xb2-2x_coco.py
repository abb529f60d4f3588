# First guess: weights and inheritance (those of a loss without prompts in the authors'
# repository). Regression is that of the RPN: the heads of the second stage are not
# alike, and would need the teacher's on the student's proposals.
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/teachers/cascade-mask-rcnn_x101.py',
    '../../_base_/stages/fpn.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/coco_2x.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='rpn_head.rpn_reg'))
model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'),
    inherit=['neck', 'rpn_head'],
    input_shape=(3, 256, 256),
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_cascade-mask-rcnn_x101_fpn_8xb2-2k_coco/iter_2000.pth',
        mse_weight=2.0,
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
