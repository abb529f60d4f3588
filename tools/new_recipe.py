"""Write the recipe that distils one network into another.

    python tools/new_recipe.py --teacher CFG --student CFG --method famkd \\
        [--dataset cifar100] [--out FILE]

CFG is the config of a network: a file, or PACKAGE::FILE for one that an installed
package ships, as in mmpretrain::resnet/resnet18_8xb32_in1k.py. Both networks are built
once to find their stages and pair them. Data and schedule are those of the student's
config or, with --dataset, the published ones; train with tools/train.py FILE, and
change in FILE what you would pair or weigh otherwise. Of detectors, famkd is
famkd_fpn; of segmentors, famkd_maps; and so are the other methods.
"""

import argparse
import math
import os
from pathlib import Path

from mmengine.config import Config

from famkd.apis.recipes.connectors import choose_head
from famkd.apis.recipes.methods import (
    BASES,
    method_form,
    method_names,
    published_name,
    scale_warmup,
)
from famkd.apis.recipes.networks import image_size, load_network, teacher_checkpoint
from famkd.apis.recipes.stages import logits_module, neck_outputs, stage_names

# Checkpoints that are kept: the one before, in case the last is damaged, and the best.
KEEP = dict(max_keep_ckpts=2, save_best='auto')
IMPORTS = ['famkd.models', 'famkd.engine']


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Write the recipe that distils one network into another'
    )
    parser.add_argument('--teacher', required=True, help='config of the teacher')
    parser.add_argument('--student', required=True, help='config of the student')
    # None are known where famkd is not installed: reading the networks says so.
    parser.add_argument('--method', required=True, choices=method_names() or None)
    parser.add_argument(
        '--dataset',
        help='data and schedule of the published recipes for this dataset, as in '
        "cifar100, coco or cityscapes (with the student's crops); default: those of "
        "the student's config",
    )
    parser.add_argument(
        '--teacher-ckpt',
        help="path or URL; default: the teacher's published checkpoint, where its "
        'package names one, or the one that training it here leaves in work_dirs',
    )
    parser.add_argument(
        '--prompts',
        help='for freekd: the file of the prompts of the teacher; default: the one '
        'that tuning them here leaves in work_dirs',
    )
    parser.add_argument(
        '--weight', type=float, help="weight of the distillation; default: the method's"
    )
    parser.add_argument(
        '--input-size',
        type=int,
        nargs='+',
        metavar=('H', 'W'),
        help='size of the images in training; default: what the config gives',
    )
    parser.add_argument('--out', help='default: ./METHOD_TEACHER_STUDENT.py')
    return parser


def recipe(args: argparse.Namespace) -> tuple[str | list[str], dict]:
    """The recipe that the arguments ask for.

    Args:
        args: The parsed arguments.

    Returns:
        tuple: The base config or configs, and what the recipe adds to them.

    Raises:
        ValueError: If an argument cannot be followed; begins with its option.
    """
    if args.weight is not None and not 0 <= args.weight < math.inf:
        raise ValueError(f'--weight: {args.weight} must be a number of at least 0')
    if args.input_size and len(args.input_size) > 2:
        raise ValueError('--input-size: give a height and a width, or one for both')
    configs, networks = {}, {}
    for role in ('student', 'teacher'):
        configs[role], networks[role] = load_network(role, getattr(args, role))
    base, data = args.student, configs['student']
    package = data.get('default_scope')
    form = method_form(args.method, package)
    method = Config.fromfile(BASES / f'methods/{form}.py')
    if args.dataset:
        dataset = published_name(args.dataset, data)
        base = [
            f'famkd::_base_/methods/{form}.py',
            f'famkd::_base_/pairs/{dataset}.py',
        ]
        data = published_setting(dataset, data)
    if not data.get('train_cfg'):
        raise ValueError(
            f'--student: {args.student!r} has no train_cfg, and so no training that '
            'the recipe could take over; give --dataset, or a config with data and '
            'schedule'
        )

    distiller = method.model.distiller
    if args.prompts and distiller.type != 'FreeKDDistiller':
        raise ValueError(f'--prompts: {args.method} has none; leave it out')
    own = {}
    model = dict(
        architecture=dict(cfg_path=args.student),
        teacher=dict(cfg_path=args.teacher),
        teacher_ckpt=args.teacher_ckpt
        or teacher_checkpoint(args.teacher, configs['teacher']),
        distiller=own,
    )
    for role, network in networks.items():
        if f'{role}_recorders' in distiller:  # of the logits
            source = distiller[f'{role}_recorders'].logits.source
            source = logits_module(role, network, source)
            own[f'{role}_recorders'] = dict(logits=dict(source=source))
        elif 'logit_loss' in distiller:
            logits_module(role, network, 'head')  # checks that there is one
    if distiller.type != 'ConfigurableDistiller':
        on_fpn = form.endswith('_fpn') or form == 'freekd'
        if args.input_size:
            size = args.input_size
        elif args.dataset:
            size = data.pair.input_shape[1:]
        else:
            # Nothing is built for the size of an FPN's maps.
            size = (256, 256) if on_fpn else image_size(data)
        model['input_shape'] = (3, size[0], size[-1])
        if on_fpn:
            own.update(neck_outputs(networks, model['input_shape']))
        elif 'stages' not in distiller:
            # Only a review takes what is pooled; a loss alone compares places.
            pooled = distiller.type == 'ReviewDistiller'
            own.update(stage_names(networks, model['input_shape'], pooled))
    if distiller.type == 'FreeKDDistiller':
        length = 2000 if on_fpn else 10_000
        tuning = f'freekd-prompts_{Path(args.teacher).stem}/iter_{length}.pth'
        own['prompts'] = args.prompts or f'work_dirs/{tuning}'
    if args.weight is not None:
        weight = dict(loss_weight=args.weight)
        if distiller.type == 'FreeKDDistiller':
            own.update(weight)
        elif {'loss', 'stage_loss'} & set(distiller):
            own['loss' if 'loss' in distiller else 'stage_loss'] = weight
        else:
            own['distill_losses'] = dict.fromkeys(distiller.distill_losses, weight)

    method.merge_from_dict(dict(model=model))
    if distiller.type != 'ConfigurableDistiller':
        head = choose_head(method.model, networks)
        if head:
            own['head'] = method.model.distiller.head = head
    hooks = method.get('custom_hooks', [])
    scale_warmup(hooks, data.train_cfg)
    if args.dataset:
        content = dict(model=model)
        if hooks and 'warmup' in data:
            others = [hook for hook in hooks if hook.type != data.warmup.type]
            content['custom_hooks'] = [data.warmup, *others]
        return base, content
    imports = data.get('custom_imports', {}).get('imports', [])
    imports = [imports] if isinstance(imports, str) else imports
    content = dict(
        custom_imports=dict(imports=list(dict.fromkeys([*imports, *IMPORTS]))),
        model=dict(_delete_=True, **method.model),
    )
    if data.get('data_preprocessor') and data.model.get('data_preprocessor'):
        # mmseg's bases have both; the runner would put this before the student's own.
        content['data_preprocessor'] = None
    known = data.get('default_hooks', {}).get('checkpoint', {})
    missing = {key: value for key, value in KEEP.items() if key not in known}
    if missing:
        content['default_hooks'] = dict(checkpoint=missing)
    if hooks:
        content['custom_hooks'] = [*(data.get('custom_hooks') or []), *hooks]
    return base, content


def published_setting(dataset: str, student: Config) -> Config:
    """The data, schedule and runtime that the published recipes for a dataset share.

    Args:
        dataset: Its name, see :func:`published_name`.
        student: Config of the student, which must be of the same task.

    Raises:
        ValueError: If they are of another task.
    """
    setting = Config.fromfile(BASES / f'pairs/{dataset}.py')
    package, own = setting.get('default_scope'), student.get('default_scope')
    if own and package != own:
        raise ValueError(
            f'--dataset: {dataset!r} is for networks of {package}, the student is of '
            f'{own}; leave it out, or choose another student'
        )
    return setting


def write(path: Path, base: str | list[str], content: dict) -> None:
    """Write a recipe.

    Args:
        path: The file.
        base: Config or configs that it builds on.
        content: What it adds.
    """
    if isinstance(base, str) and '::' not in base:
        base = os.path.relpath(base, path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'_base_ = {base!r}\n\n{Config(content).pretty_text}')


def main(argv: list[str] | None = None) -> None:
    """Write a recipe; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    names = [Path(path).stem for path in (args.teacher, args.student)]
    path = Path(args.out or '_'.join([args.method, *names]) + '.py')
    if path.exists():
        parser.error(f'--out: {path} exists; delete it or name another')
    try:
        base, content = recipe(args)
    except ValueError as error:
        parser.error(str(error))
    try:
        write(path, base, content)
    except OSError as error:
        parser.error(f'--out: {error}')
    print(f'Wrote {path}. Train it with: python tools/train.py {path} --eval-teacher')


if __name__ == '__main__':
    main()
