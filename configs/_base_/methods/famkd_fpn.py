# FAM-KD on an FPN: no ReLU at its outputs, and another size for each image.
_base_ = './famkd.py'

model = dict(distiller=dict(head=dict(type='DynamicFAMHead', with_relu=False)))
