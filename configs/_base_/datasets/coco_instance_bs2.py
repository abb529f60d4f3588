# For 8 GPUs.
_base_ = './coco_instance_bs8.py'

train_dataloader = dict(batch_size=2)
