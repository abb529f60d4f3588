# Little data for the student: 5 images of each class.
_base_ = './digits.py'

train_dataloader = dict(batch_size=25, dataset=dict(num_per_class=5))
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = dict(T_max=160)
train_cfg = dict(max_epochs=160, val_interval=10)
