# FAM-KD on maps of any size, without a pooled stage: one filter for each channel.
_base_ = './famkd.py'

model = dict(distiller=dict(head=dict(type='DynamicFAMHead')))
