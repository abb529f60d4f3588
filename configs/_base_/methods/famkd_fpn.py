# FAM-KD on an FPN: no ReLU at its outputs, and another size for each image.
_base_ = './famkd_maps.py'

model = dict(distiller=dict(head=dict(with_relu=False)))
