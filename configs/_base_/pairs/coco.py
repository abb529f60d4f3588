# What all pairs on COCO share.
_base_ = [
    '../stages/fpn.py',
    '../datasets/coco_detection_bs8.py',
    '../schedules/coco_180k.py',
]

# Any shape will do: nothing is built for a size.
pair = dict(input_shape=(3, 256, 256))
warmup = dict(type='DistillWarmupHook', length=1000, by_epoch=False)
