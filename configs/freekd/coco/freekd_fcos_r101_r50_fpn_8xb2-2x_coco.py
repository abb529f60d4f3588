# First guess: weights and inheritance (those of a loss without prompts in the authors'
# repository).
_base_ = [
    '../../_base_/methods/freekd.py',
    '../../_base_/pairs/coco_2x/fcos_r101_r50.py',
]

model = dict(
    **_base_.pair,
    inherit=['neck', 'bbox_head'],
    distiller=dict(
        **_base_.stages,
        prompts='work_dirs/freekd-prompts_fcos_r101_fpn_8xb2-2k_coco/iter_2000.pth',
        loss_weight=5.0,
        mse_weight=10.0,
    ),
)
