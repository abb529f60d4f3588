# First guess: weights and inheritance (those of a loss without prompts in the authors'
# repository). Regression is that of the RPN: the second stage would need the teacher's
# head on the student's proposals, and is left out.
_base_ = [
    '../../_base_/methods/freekd_regression.py',
    '../../_base_/teachers/faster-rcnn_r101.py',
    '../../_base_/stages/fpn.py',
    '../../_base_/datasets/coco_detection_bs2.py',
    '../../_base_/schedules/coco_2x.py',
]

regression = dict(regression=dict(type='ModuleOutputs', source='rpn_head.rpn_reg'))
model = dict(
    **_base_.teacher,
    architecture=dict(cfg_path='mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'),
    inherit=['neck', 'rpn_head', 'roi_head'],
    input_shape=(3, 256, 256),
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_faster-rcnn_r101_fpn_8xb2-2k_coco/iter_2000.pth',
        loss_weight=0.8,
        mse_weight=1.0,
        student_recorders=regression,
        teacher_recorders=regression,
    ),
)
