"""Time of the layers, forward and backward, against their reference forms.

    python benchmarks/layers.py --threads 2

Each row is one size: median milliseconds of the reference form and of the fast
form, measured in turns in one process, and their ratio. Needs torch alone (and
matplotlib for the plot).
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from _timing import DTYPES, interleaved, machine
from torch import nn

from famkd.apis.plots import COLORS, new_figure, save
from famkd.apis.tables import markdown_table
from famkd.layers import FrequencyAttention, LocalAttention
from famkd.layers.reference import ReferenceFrequencyAttention, ReferenceLocalAttention

# (N, C, H, W): how the cost grows with each of them.
SIZES = [
    (64, 16, 32, 32),
    (64, 64, 32, 32),
    (64, 32, 16, 16),
    (64, 64, 8, 8),
    (64, 256, 8, 8),
    (64, 64, 7, 7),
    (64, 16, 15, 33),
    (16, 64, 32, 32),
    (256, 16, 32, 32),
    (16, 64, 56, 56),
]


def layers(kind: str, size: tuple[int, int, int, int]) -> tuple[nn.Module, nn.Module]:
    """The reference and the fast form of a layer."""
    _, channels, height, width = size
    if kind == 'attention':
        return ReferenceLocalAttention(channels), LocalAttention(channels)
    shape = (channels, channels, (height, width))
    return ReferenceFrequencyAttention(*shape), FrequencyAttention(*shape)


def step(layer: nn.Module, x: torch.Tensor, dtype: torch.dtype) -> Callable[[], None]:
    """One forward and backward pass, gradients of the input and all parameters."""
    device = x.device.type

    def run() -> None:
        layer.zero_grad()
        x.grad = None
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            out = layer(x)
        out.backward(torch.ones_like(out))

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--dtype', default='float32', choices=DTYPES)
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument(
        '--size',
        type=int,
        nargs=4,
        action='append',
        metavar=('N', 'C', 'H', 'W'),
        help='of the map; may be repeated; default: ten of them',
    )
    parser.add_argument('--json', type=Path, help='file for the figures')
    parser.add_argument('--plot', type=Path, help='file for the plot (PNG or SVG)')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    dtype = getattr(torch, args.dtype)

    results = []
    for kind in ('attention', 'fam'):
        for size in args.size or SIZES:
            torch.manual_seed(0)
            x = torch.randn(size, device=args.device, requires_grad=True)
            reference, fast = (m.to(args.device) for m in layers(kind, size))
            seconds = interleaved(
                {'reference': step(reference, x, dtype), 'fast': step(fast, x, dtype)},
                args.rounds,
                args.device,
            )
            results.append({'layer': kind, 'size': size, **seconds})

    print(machine(args.device), args.dtype)
    rows = [
        [
            row['layer'],
            ' x '.join(map(str, row['size'])),
            f'{1e3 * row["reference"]:.1f}',
            f'{1e3 * row["fast"]:.1f}',
            f'{row["reference"] / row["fast"]:.1f}',
        ]
        for row in results
    ]
    header = ['layer', 'N x C x H x W', 'reference [ms]', 'fast [ms]', 'ratio']
    print(markdown_table([header, *rows]))
    if args.json:
        args.json.write_text(
            json.dumps({'machine': machine(args.device), 'results': results}, indent=1)
        )
    if args.plot:
        plot(results, args.plot)


def plot(results: list[dict], path: Path) -> None:
    """A dot for every size: how many times faster the fast form is."""
    figure, axes = new_figure(1, 2, 3.4, sharey=True)
    titles = {'attention': 'local attention', 'fam': 'frequency attention'}
    for axis, (kind, title) in zip(axes[0], titles.items(), strict=True):
        rows = [row for row in results if row['layer'] == kind]
        labels = ['x'.join(map(str, row['size'])) for row in rows]
        ratios = [row['reference'] / row['fast'] for row in rows]
        axis.plot(ratios, range(len(rows)), 'o', color=COLORS[0])
        axis.set(title=title, xlabel='time of the reference form / fast form')
        axis.set_xlim(left=0)
        axis.set_yticks(range(len(rows)), labels)
    axes[0, 0].set_ylabel('batch x channels x height x width')
    axes[0, 0].invert_yaxis()
    save(figure, [path])


if __name__ == '__main__':
    main()
