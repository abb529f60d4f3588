"""Faster forward passes of a network that is not trained."""

import torch
from mmcv.cnn.utils import fuse_conv_bn
from torch import nn


def accelerate(
    network: nn.Module,
    channels_last: bool = False,
    fuse_bn: bool = False,
    compile: bool = False,
) -> None:
    """Makes the inference of a frozen network faster, in place.

    Args:
        network: Network in eval mode; its weights are final.
        channels_last: Whether to lay out its weights, and so its features,
            with the channels innermost. Defaults to False.
        fuse_bn: Whether to fold every BN into the convolution before it, which
            changes results by rounding. Features between the two can then not
            be recorded. Defaults to False.
        compile: Whether to compile it with ``torch.compile`` at its first
            call. Defaults to False.
    """
    if fuse_bn:
        fuse_conv_bn(network)
    if channels_last:
        network.to(memory_format=torch.channels_last)
    if compile:
        network.compile()
