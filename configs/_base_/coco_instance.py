_base_ = [
    './datasets/coco_instance_bs8.py',
    './schedules/coco_180k.py',
    './detection_runtime.py',
]
