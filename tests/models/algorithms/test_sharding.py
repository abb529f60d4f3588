"""A teacher whose weights are spread over two processes."""

import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

from famkd.models.algorithms.sharding import shard

WIDTH = 32
X = torch.linspace(-1, 1, 16, dtype=torch.bfloat16).view(2, 8)


class Tiny(nn.Module):
    """Blocks of one width, as a transformer has them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Linear(8, WIDTH)
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def forward(self, x):
        x = self.embed(x)
        for layer in self.layers:
            x = layer(x).relu()
        return x


def in_two_processes(function, tmp_path):
    """What function() returns in both; forked, they need no imports of their own."""
    mp.start_processes(_run, (function, str(tmp_path)), nprocs=2, start_method='fork')
    return [torch.load(tmp_path / f'{rank}.pt') for rank in range(2)]


def _run(rank, function, folder):
    torch.set_num_threads(1)  # those of the parent are not in a forked process
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/meet', rank=rank, world_size=2
    )
    torch.save(function(), f'{folder}/{rank}.pt')
    torch.distributed.destroy_process_group()


def local_count(network):
    """How many of its weights are in this process."""
    return sum(p.to_local().numel() for p in network.parameters())


def test_the_same_outputs_from_half_the_weights(tmp_path):
    def run():
        network = Tiny().bfloat16().requires_grad_(False)
        shard(network)
        with torch.no_grad():
            outputs = [network(X) for _ in range(2)]
        return outputs, local_count(network)

    whole = Tiny().bfloat16()
    count = sum(p.numel() for p in whole.parameters())
    for outputs, local in in_two_processes(run, tmp_path):
        assert local == count / 2
        for output in outputs:
            assert torch.equal(output, whole(X))


def test_a_sharded_teacher_gives_the_same_losses(distillation, build, batch, tmp_path):
    options = dict(shard=True, channels_last=True)
    model = build({**distillation(), 'teacher_options': options}).train()
    count = sum(p.numel() for p in model.teacher.parameters())
    alone = model(*batch, mode='loss')

    def run():
        # Twice: what the first pass gathers is let go.
        losses = [model(*batch, mode='loss') for _ in range(2)][1]
        values = {name: value.item() for name, value in losses.items()}
        return values, local_count(model.teacher), len(model.state_dict())

    entries = len(model.state_dict())
    found = in_two_processes(run, tmp_path)
    assert sum(local for _, local, _ in found) == count
    for values, local, saved in found:
        assert local < 0.6 * count
        assert saved == entries
        for name, value in values.items():
            assert value == pytest.approx(alone[name].item(), rel=1e-5)
