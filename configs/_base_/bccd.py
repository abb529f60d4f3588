_base_ = [
    './datasets/bccd_detection_bs8.py',
    './schedules/bccd_2k.py',
    './detection_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=500), logger=dict(interval=20))
