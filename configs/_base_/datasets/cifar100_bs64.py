_base_ = 'mmpretrain::_base_/datasets/cifar100_bs16.py'

train_dataloader = dict(batch_size=64, persistent_workers=True)
val_dataloader = dict(batch_size=256, persistent_workers=True)
val_evaluator = dict(topk=(1, 5))
test_dataloader = dict(batch_size=256, persistent_workers=True)
test_evaluator = dict(topk=(1, 5))
