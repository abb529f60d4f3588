# First guess: weights and inheritance (those of a loss without prompts in the authors'
# repository). Regression is that of the RPN: the second stage would need the teacher's
# head on the student's proposals, and is left out.
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/pairs/coco_2x/faster-rcnn_r101_r50.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='rpn_head.rpn_reg'))
model = dict(
    **_base_.pair,
    inherit=['neck', 'rpn_head', 'roi_head'],
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_faster-rcnn_r101_fpn_8xb2-2k_coco/iter_2000.pth',
        loss_weight=0.8,
        mse_weight=1.0,
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
