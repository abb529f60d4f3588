"""Cut the student out of a distillation checkpoint.

    python tools/model_converters/extract_student.py CKPT OUT

The result loads, with strict keys, into the student built by plain mmpretrain or
mmdet: neither famkd nor MMRazor is needed to use it.
"""

import argparse
import pickle
import sys
from pathlib import Path

PREFIX = 'architecture.'  # MMRazor's name of the student inside an algorithm


def load_checkpoint(path):
    """Read an MMEngine checkpoint without running code that a pickle may hold.

    Args:
        path (str | Path): The checkpoint file.

    Returns:
        dict: The checkpoint, tensors on the CPU.

    Raises:
        ValueError: If there is no such file, or it is not a checkpoint, or it
            holds objects that MMEngine does not put there.
    """
    import torch
    from mmengine.logging import HistoryBuffer
    from mmengine.runner.checkpoint import get_torch_safe_globals

    def statistics_method(owner, name):
        if owner is not HistoryBuffer or name.startswith('_'):
            raise pickle.UnpicklingError(f'{owner}.{name} is not a log statistic')
        return getattr(owner, name)

    # The logs inside a checkpoint name HistoryBuffer's methods through getattr,
    # which MMEngine allows on any object: allow it on that class only.
    allowed = [name for name in get_torch_safe_globals() if name is not getattr]
    allowed.append((statistics_method, 'builtins.getattr'))
    try:
        with torch.serialization.safe_globals(allowed):
            return torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a file that is not a checkpoint can raise any
        reason = f'{type(error).__name__}: {error}'.splitlines()[0]
        raise ValueError(f'cannot read the checkpoint {path}: {reason}') from error


def extract_student(checkpoint):
    """Keep the student's weights and what describes them.

    Args:
        checkpoint (dict): A distillation checkpoint, as MMEngine writes it.

    Returns:
        dict: ``state_dict`` with the student's own keys (those below
        ``architecture.``, which include its data preprocessor), and ``meta``: the
        original's, with the config under ``distill_cfg``, because tools that find
        a ``cfg`` there take it for the config of the model in the file. Optimizer,
        schedulers and logs are left behind.

    Raises:
        ValueError: If it is not a distillation checkpoint.
    """
    if not isinstance(checkpoint, dict) or 'state_dict' not in checkpoint:
        raise ValueError("no 'state_dict' in it: not an MMEngine checkpoint")
    weights = checkpoint['state_dict']
    student = {
        key.removeprefix(PREFIX): value
        for key, value in weights.items()
        if key.startswith(PREFIX)
    }
    if not student:
        raise ValueError(
            f"no '{PREFIX}*' key in its state_dict (keys: "
            f'{", ".join(list(weights)[:3])}, ...): not a distillation checkpoint, '
            'or the student was extracted before'
        )
    meta = dict(checkpoint.get('meta', {}))
    if 'cfg' in meta:
        meta['distill_cfg'] = meta.pop('cfg')
    return dict(meta=meta, state_dict=student)


def main(argv=None):
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description='Cut the student out of a distillation checkpoint.'
    )
    parser.add_argument('checkpoint', type=Path, help='distillation checkpoint')
    parser.add_argument('out', type=Path, help='file to write the student to')
    args = parser.parse_args(argv)

    import torch

    try:
        student = extract_student(load_checkpoint(args.checkpoint))
    except ValueError as error:
        sys.exit(f'{args.checkpoint}: {error}')
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(student, args.out)
    print(f'{args.out}: {len(student["state_dict"])} tensors of the student')


if __name__ == '__main__':
    main()
