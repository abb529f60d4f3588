# FAM-KD towards the tokens of a large transformer: they have no ReLU, and filters
# between 64 channels instead of all keep the distiller smaller than the student.
_base_ = './famkd.py'

model = dict(distiller=dict(head=dict(with_relu=False, rank=64)))
