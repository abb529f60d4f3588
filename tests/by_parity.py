"""A batch sampler that leaves images over, as mmdet's for wide and tall images."""

from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import BatchSampler


@DATA_SAMPLERS.register_module(force=True)
class ByParity(BatchSampler):
    """Batches of images with even or with odd numbers, as mmdet has wide and tall."""

    def __iter__(self):
        buckets = [], []
        for index in self.sampler:
            bucket = buckets[index % 2]
            bucket.append(index)
            if len(bucket) == self.batch_size:
                yield bucket[:]
                bucket.clear()
