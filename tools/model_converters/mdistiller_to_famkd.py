"""Convert networks of mdistiller and torchvision to famkd checkpoints, and back.

    python tools/model_converters/mdistiller_to_famkd.py IN OUT --arch resnet56

IN is a state dict, or a checkpoint that holds one under ``model`` (mdistiller) or
``state_dict`` (MMEngine); ``module.`` in front of the keys is dropped. OUT loads, with
strict keys, into the network of ``configs/vanilla`` (``torchvision/...``: into
mmpretrain's). ``--reverse`` makes mdistiller's or torchvision's file from such a one.
"""

import argparse
import sys
from pathlib import Path

from famkd.apis.mdistiller import ARCHS, check_arch, convert, find_weights
from famkd.apis.paths import check_output
from famkd.runtime.safe_load import (
    add_trust_argument,
    load_checkpoint,
    trust_checkpoints,
)


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', metavar='IN', type=Path, help='the file to convert')
    parser.add_argument('output', metavar='OUT', type=Path, help='the file to write')
    parser.add_argument(
        '--arch', required=True, help=f'the network: {", ".join(ARCHS)}'
    )
    parser.add_argument(
        '--reverse', action='store_true', help="from famkd's names to the other's"
    )
    add_trust_argument(parser)
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    check_output(parser, args.input, args.output)

    import torch

    try:
        check_arch(args.arch)
        weights = find_weights(load_checkpoint(args.input))
        weights = convert(weights, args.arch, args.reverse)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')

    if not args.reverse:
        checkpoint = dict(state_dict=weights, meta=dict(arch=args.arch))
    elif args.arch.startswith('torchvision/'):
        checkpoint = weights
    else:
        checkpoint = dict(model=weights)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint, args.output)
    print(f'{args.output}: {args.arch}, {len(weights)} tensors')


if __name__ == '__main__':
    main()
