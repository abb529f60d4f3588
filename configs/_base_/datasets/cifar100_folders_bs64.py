# CIFAR-100 as image files, data/cifar100/{train,test}/CLASS/*.png.
_base_ = './cifar100_bs64.py'

train_dataloader = dict(dataset=dict(type='CIFAR100Folders'))
val_dataloader = dict(dataset=dict(type='CIFAR100Folders'))
test_dataloader = dict(dataset=dict(type='CIFAR100Folders'))
