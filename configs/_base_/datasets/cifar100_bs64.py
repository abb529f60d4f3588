_base_ = 'mmpretrain::_base_/datasets/cifar100_bs16.py'

train_dataloader = dict(batch_size=64)
val_dataloader = dict(batch_size=256)
val_evaluator = dict(topk=(1, 5))
test_dataloader = dict(batch_size=256)
test_evaluator = dict(topk=(1, 5))
