_base_ = [
    './datasets/coco_detection_bs8.py',
    './schedules/coco_180k.py',
    './detection_runtime.py',
]
