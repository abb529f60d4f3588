"""The network of a checkpoint, or one clear error."""

import pytest
import torch
from mmengine.model import BaseModel

from famkd.apis.checkpoints import load_network

NETWORK = "model = dict(type='Network')"


class Quiet(BaseModel):
    """A network whose ``eval`` gives back nothing, as that of some detectors."""

    def __init__(self, data_preprocessor=None):
        super().__init__()
        self.fc = torch.nn.Linear(1, 1)

    def forward(self, inputs):
        """Nothing."""

    def train(self, mode=True):
        super().train(mode)


def test_a_network_whose_eval_gives_back_nothing(tmp_path):
    file, config = tmp_path / 'a.pth', tmp_path / 'a.py'
    torch.save({'state_dict': Quiet().state_dict()}, file)
    config.write_text(f'model = dict(type={__name__ + ".Quiet"!r})')
    network, *_ = load_network(str(file), str(config))
    assert type(network) is Quiet and not network.training


@pytest.mark.parametrize(
    'meta',
    [
        [1],
        dict(cfg=NETWORK, dataset_meta=[1]),
        dict(distill_cfg=dict(model=1)),
        dict(cfg='model = 1'),
        dict(cfg=f'filename = 1\n{NETWORK}'),
        dict(cfg="model = dict(type=['a'])"),
        dict(cfg='model = dict(cfg_path=3)'),
        dict(cfg=f'default_scope = 3\n{NETWORK}'),
        dict(cfg=f'data_preprocessor = 1\n{NETWORK}'),
    ],
)
def test_what_is_no_config_of_a_network(meta, tmp_path):
    file = tmp_path / 'a.pth'
    torch.save({'state_dict': {'a': torch.ones(1)}, 'meta': meta}, file)
    with pytest.raises(ValueError, match='a.pth'):
        load_network(str(file))
