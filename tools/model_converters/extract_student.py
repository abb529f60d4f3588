"""Cut the student out of a distillation checkpoint.

    python tools/model_converters/extract_student.py CKPT OUT

Where OUT is a folder, the file in it is named as OpenMMLab names those that it
publishes: CKPT-HASH.pth, with the first 8 digits of its SHA-256, which a download is
checked against. Of a training with EMA the averages are taken, as its validations did.

The result loads, with strict keys, into the student that its own config builds. Where
the network is one of mmpretrain, mmdet or mmseg, neither famkd nor MMRazor is needed to
use it; docs/reliability.md says which are famkd's own.
"""

import argparse
import hashlib
import io
import sys
from pathlib import Path
from typing import Any

from famkd.checkpoint_keys import STUDENT, read_weights, student_weights
from famkd.names import first_names
from famkd.runtime.finite import non_finite
from famkd.runtime.safe_load import (
    add_trust_argument,
    load_checkpoint,
    trust_checkpoints,
)


def extract_student(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Keep the student's weights and what describes them.

    Args:
        checkpoint: A distillation checkpoint, as MMEngine writes it.

    Returns:
        dict: ``state_dict`` with the student's own keys (those below
        ``architecture.``, which include its data preprocessor), and ``meta``: the
        original's, with the config under ``distill_cfg``, because tools that find
        a ``cfg`` there take it for the config of the model in the file. Optimizer,
        schedulers and logs are left behind.

    Raises:
        ValueError: If it is not a distillation checkpoint, or the student has values
            that are not finite.
    """
    if not isinstance(checkpoint, dict) or 'state_dict' not in checkpoint:
        raise ValueError("no 'state_dict' in it: not an MMEngine checkpoint")
    weights = read_weights(checkpoint)
    student = student_weights(weights)
    if not student:
        raise ValueError(
            f"no '{STUDENT}*' key in its state_dict (keys: "
            f'{first_names(weights)}): not a distillation checkpoint, '
            'or the student was extracted before'
        )
    if spoilt := non_finite(student):
        raise ValueError(
            f'the student has values that are not finite ({first_names(spoilt)}); '
            'take an earlier checkpoint'
        )
    meta = dict(checkpoint.get('meta', {}))
    if 'cfg' in meta:
        meta['distill_cfg'] = meta.pop('cfg')
    return dict(meta=meta, state_dict=student)


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description='Cut the student out of a distillation checkpoint.'
    )
    parser.add_argument('checkpoint', type=Path, help='distillation checkpoint')
    parser.add_argument('out', type=Path, help='file or folder to write to')
    add_trust_argument(parser)
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    if args.out.exists() and args.out.samefile(args.checkpoint):
        parser.error(
            f'out: {args.out} is the distillation checkpoint itself, from which the '
            'training could not go on any more; name another file'
        )

    import torch

    from famkd.runtime.atomic_backend import AtomicBackend

    try:
        checkpoint = load_checkpoint(args.checkpoint)
        student = extract_student(checkpoint)
    except (OSError, ValueError) as error:
        sys.exit(f'{args.checkpoint}: {error}')
    content = io.BytesIO()
    torch.save(student, content)
    out = args.out
    if out.is_dir():
        digest = hashlib.sha256(content.getvalue()).hexdigest()
        out /= f'{args.checkpoint.stem}-{digest[:8]}.pth'
    AtomicBackend().put(content.getvalue(), out)
    # MMEngine's EMAHook saves the averages as the weights, and these as ema_state_dict.
    kind = 'averages (EMA)' if 'ema_state_dict' in checkpoint else 'weights (no EMA)'
    print(f"{out}: the student's {kind}, {len(student['state_dict'])} tensors")


if __name__ == '__main__':
    main()
