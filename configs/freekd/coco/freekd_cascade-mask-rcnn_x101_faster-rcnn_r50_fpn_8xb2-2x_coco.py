# First guess: weights and inheritance (those of a loss without prompts in the authors'
# repository). Regression is that of the RPN: the heads of the second stage are not
# alike, and would need the teacher's on the student's proposals.
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/pairs/coco_2x/cascade-mask-rcnn_x101_faster-rcnn_r50.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='rpn_head.rpn_reg'))
model = dict(
    **_base_.pair,
    inherit=['neck', 'rpn_head'],
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_cascade-mask-rcnn_x101_fpn_8xb2-2k_coco/iter_2000.pth',
        mse_weight=2.0,
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
