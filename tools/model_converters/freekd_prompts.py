"""Convert the prompts that the authors of FreeKD released into a file of famkd.

    python tools/model_converters/freekd_prompts.py IN OUT

IN holds ``mask_modules.{i}.mask_token``, one for each map, of shape (4, T, C);
what else is in it (``prob.*``, wavelet filters) their code does not use either. OUT
is what a prompt tuning writes, for ``distiller.prompts`` of FreeKDDistiller; it does
not say which teacher the prompts are of.
"""

import argparse
import re
import sys
from pathlib import Path

from famkd.apis.paths import check_output
from famkd.runtime.safe_load import (
    add_trust_argument,
    load_checkpoint,
    trust_checkpoints,
)

TOKEN = re.compile(r'(?:.*\.)?mask_modules\.(\d+)\.mask_token')


def convert(checkpoint: dict) -> dict:
    """Keep the prompts, under famkd's names.

    Args:
        checkpoint: The released file: a state dict, or a dict with one under
            ``state_dict``.

    Returns:
        dict: ``state_dict`` with ``prompts.{i}.prompt``, shape (4, T, C).

    Raises:
        ValueError: If there are no prompts, one of a map is missing, or one has
            another shape or is not finite.
    """
    from famkd.models.prompt_file import prompt_fault

    weights = checkpoint
    if isinstance(checkpoint, dict):
        weights = checkpoint.get('state_dict', checkpoint)
    if not isinstance(weights, dict):
        raise ValueError(
            f'a {type(weights).__name__}, no state dict: not prompts of FreeKD'
        )
    tokens = {
        int(match[1]): value
        for key, value in weights.items()
        if (match := TOKEN.fullmatch(str(key)))
    }
    if not tokens or sorted(tokens) != list(range(len(tokens))):
        raise ValueError(
            'mask_modules.{i}.mask_token is needed for i = 0, 1, ..., found '
            f'{sorted(tokens) or "none"}: not prompts of FreeKD'
        )
    for i, token in tokens.items():
        if fault := prompt_fault(token):
            raise ValueError(f'mask_modules.{i}.mask_token {fault}')
    prompts = {f'prompts.{i}.prompt': tokens[i].clone() for i in sorted(tokens)}
    return dict(state_dict=prompts)


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', metavar='IN', type=Path, help='the released file')
    parser.add_argument('output', metavar='OUT', type=Path, help='the file to write')
    add_trust_argument(parser)
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    check_output(parser, args.input, args.output)

    import torch

    try:
        prompts = convert(load_checkpoint(args.input))
    except (OSError, ValueError) as error:
        sys.exit(f'{args.input}: {error}')
    args.output.parent.mkdir(parents=True, exist_ok=True)
    torch.save(prompts, args.output)
    shapes = {tuple(value.shape) for value in prompts['state_dict'].values()}
    print(
        f'{args.output}: prompts of {len(prompts["state_dict"])} maps, (bands, T, C) '
        f'{", ".join(map(str, sorted(shapes)))}'
    )


if __name__ == '__main__':
    main()
