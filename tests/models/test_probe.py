"""One forward pass that leaves a network as it was."""

import pytest
import torch
from torch import nn

from famkd.models.probe import probe


class Network(nn.Sequential):
    def __init__(self):
        super().__init__(nn.BatchNorm2d(3), nn.Dropout(0.5))
        self.seen = []

    def forward(self, images, data_samples=None, mode='tensor'):
        self.seen.append((tuple(images.shape), mode, self.training))
        return super().forward(images)


def test_an_image_of_zeros_in_eval_mode():
    network = Network().train()
    network[0].eval()  # as a frozen layer
    state = {key: x.clone() for key, x in network.state_dict().items()}
    random = torch.get_rng_state()
    probe(network, (3, 5, 7))
    assert network.seen == [((1, 3, 5, 7), 'tensor', False)]
    assert [m.training for m in network.modules()] == [True, False, True]
    assert all(torch.equal(x, state[key]) for key, x in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_another_forward_and_no_gradients():
    network, outputs = Network(), []
    probe(network, (3, 4, 4), lambda x: outputs.append(network[0](x)))
    assert not network.seen
    assert not outputs[0].requires_grad


def test_modes_come_back_after_an_error():
    def fail(images):
        raise ZeroDivisionError

    network = Network().train()
    with pytest.raises(ZeroDivisionError):
        probe(network, (3, 4, 4), fail)
    assert network.training
