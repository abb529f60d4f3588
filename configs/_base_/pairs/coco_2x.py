# What the pairs on COCO of FreeKD's authors share: 24 epochs of 16 images.
_base_ = [
    '../stages/fpn.py',
    '../datasets/coco_detection_bs2.py',
    '../schedules/coco_2x.py',
]

# Any shape will do: nothing is built for a size.
pair = dict(input_shape=(3, 256, 256))
