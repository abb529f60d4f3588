"""Files of frequency prompts: how they are read, and what they were tuned on."""

import re
from pathlib import Path

import torch
from torch import Tensor

from famkd.models.teacher_note import note_from_tensor
from famkd.names import first_names
from famkd.runtime.finite import non_finite
from famkd.runtime.safe_load import load_checkpoint

PROMPT = re.compile(r'prompts\.(\d+)\.prompt')
NOTE = '_extra_state'


def read_prompts(path: str) -> tuple[list[Tensor], dict]:
    """Reads the prompts of each map from a checkpoint of prompt tuning.

    Args:
        path: Path or URL.

    Returns:
        tuple: The prompts of each map, shape (levels + 1, T, C), and the note of the
        teacher that they were tuned on, ``path`` and ``hash`` of its checkpoint (empty
        if the file does not say).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is unreadable or another kind of file, or a prompt in it is
            of another form or not finite.
    """
    if '://' not in path and not Path(path).is_file():
        raise FileNotFoundError(
            f'prompts={path!r}: no such file; tune the prompts of the teacher first '
            "(a recipe with type='mmrazor.PromptTuning'), or give their file"
        )
    try:
        content = load_checkpoint(path)
        weights = content.get('state_dict', content)
        weights = {str(key): value for key, value in weights.items()}
        note = note_from_tensor(weights[NOTE]) if NOTE in weights else {}
    except Exception as error:
        raise ValueError(
            f'prompts={path!r} cannot be loaded: {type(error).__name__}: {error}'
        ) from error
    prompts = {
        int(match[1]): value
        for key, value in weights.items()
        if (match := PROMPT.fullmatch(key))
    }
    if not prompts:
        raise ValueError(f'prompts={path!r} has no prompts in it{_hint(weights)}')
    for i in range(len(prompts)):
        if i not in prompts:
            raise ValueError(
                f'prompts={path!r} has prompts of {len(prompts)} maps, but no '
                f'prompts.{i}.prompt; give the whole checkpoint of a prompt tuning'
            )
    for i, prompt in prompts.items():
        if fault := prompt_fault(prompt):
            raise ValueError(
                f'prompts={path!r}: prompts.{i}.prompt {fault}; give the checkpoint of '
                'a prompt tuning (stage 1)'
            )
    # Saved parameters would ask for gradients.
    return [prompts[i].detach().float() for i in range(len(prompts))], note


def check_prompts(
    prompts: list[Tensor], channels: list[int], path: str, levels: int | None = None
) -> None:
    """Checks that prompts are for these maps.

    Args:
        prompts: Prompts of each map.
        channels: Channels of each map of the teacher.
        path: The file of the prompts.
        levels: Levels that they shall have; any if None. Defaults to None.

    Raises:
        ValueError: If the number of maps, of channels or of levels is another; names
            both.
    """
    if len(prompts) != len(channels):
        raise ValueError(
            f'prompts={path!r} are of {len(prompts)} maps, but the teacher has '
            f'{len(channels)} stages; name the maps that the prompts were tuned on'
        )
    found = [prompt.shape[-1] for prompt in prompts]
    if found != channels:
        raise ValueError(
            f'prompts={path!r} are for maps of {found} channels, but the stages of '
            f'the teacher have {channels}; give the prompts of this teacher'
        )
    found = sorted({prompt.shape[0] - 1 for prompt in prompts})
    if len(found) > 1:
        raise ValueError(
            f'prompts={path!r} have {found} levels; give prompts of all maps that were '
            'tuned together'
        )
    if levels not in (None, found[0]):
        raise ValueError(
            f'levels={levels}, but prompts={path!r} have {found} levels; correct it '
            'or leave it out'
        )


def prompt_fault(prompt: object) -> str | None:
    """What is wrong with a prompt of a file; None if nothing is."""
    if not isinstance(prompt, Tensor):
        return f'is a {type(prompt).__name__}, no tensor'
    if not prompt.is_floating_point() or prompt.layout is not torch.strided:
        return f'is of {prompt.dtype} and {prompt.layout}, no dense real numbers'
    if prompt.ndim != 3 or prompt.shape[0] < 2 or prompt.numel() == 0:
        return f'has the shape {tuple(prompt.shape)}, not (levels + 1, T, C)'
    if prompt.untyped_storage().nbytes() < prompt.nbytes or prompt.is_meta:
        return f'has the shape {tuple(prompt.shape)}, but fewer values'
    return 'is not finite' if non_finite([prompt]) else None


def _hint(weights: dict) -> str:
    if any(key.startswith('architecture.') for key in weights):
        return (
            ': it is of a distillation (stage 2); give the checkpoint of the prompt '
            'tuning (stage 1)'
        )
    if any('mask_modules.' in key for key in weights):
        return (
            ": it is the authors' file; convert it with "
            'tools/model_converters/freekd_prompts.py'
        )
    return (
        f' (keys: {first_names(weights)}); give the checkpoint of a prompt tuning '
        '(stage 1)'
    )
