"""Write a trained student as a file for deployment.

    python tools/export_student.py CKPT OUT.onnx [--size H W] [--config CONFIG]

By the ending of OUT: ``.onnx`` (ONNX), ``.pt2`` (torch.export), each from pixels to
probabilities and checked against the network, or ``.safetensors`` (its weights). CKPT
is a checkpoint of a distillation, a student cut out of one, or of any network alone.
"""

import argparse
import os
import sys
import warnings
from functools import partial
from pathlib import Path

from famkd.apis.images import add_size_argument, given_size
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints

ENDINGS = ('.onnx', '.pt2', '.safetensors')


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Write a trained student as a file for deployment.'
    )
    parser.add_argument('checkpoint', metavar='CKPT', help='checkpoint, path or URL')
    parser.add_argument(
        'out', type=Path, metavar='OUT', help='.onnx, .pt2 or .safetensors'
    )
    add_size_argument(parser, 'model.input_shape of the distillation')
    parser.add_argument(
        '--config', help='config of CKPT, where the checkpoint does not hold it'
    )
    add_trust_argument(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    if args.out.suffix not in ENDINGS:
        parser.error(f'OUT: {args.out} ends in none of {", ".join(ENDINGS)}')
    size = given_size(parser, args)

    from famkd.apis.checkpoints import load_network
    from famkd.apis.export import (
        PixelsToProbabilities,
        write_onnx,
        write_program,
        write_weights,
    )
    from famkd.runtime.finite import non_finite

    try:
        network, config, classes = load_network(args.checkpoint, args.config)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    if broken := non_finite(network.state_dict()):
        sys.exit(f'error: {args.checkpoint}: {broken[0]} is not finite')
    size = tuple(size or config.model.get('input_shape', ())[-2:])
    meta = dict(classes=list(classes or []), size=size)
    if args.out.suffix == '.safetensors':
        write = partial(write_weights, network)
    elif size:
        writer = write_onnx if args.out.suffix == '.onnx' else write_program
        try:
            write = partial(writer, PixelsToProbabilities(network, config), size)
        except ValueError as error:
            sys.exit(f'error: {error}')
    else:
        parser.error('--size: the config has no model.input_shape; give the size')

    args.out.parent.mkdir(parents=True, exist_ok=True)
    part = args.out.with_name(f'.{args.out.name}.part{args.out.suffix}')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # PyTorch's, about itself: write checks
            write(meta, part)
        os.replace(part, args.out)
    except ImportError as error:
        sys.exit(
            f"error: {error.name} is missing: pip install -e '.[deploy]' in the "
            'checkout of famkd'
        )
    except ValueError as error:
        sys.exit(f'error: {error}')
    finally:
        part.unlink(missing_ok=True)
    parameters = sum(x.numel() for x in network.parameters())
    print(
        f'{args.out}: {type(network).__name__}, {parameters:,} parameters, '
        f'{args.out.stat().st_size / 1e6:.1f} MB'
    )


if __name__ == '__main__':
    main()
