"""Write the recipe that distils one network into another.

    python tools/new_recipe.py --teacher CFG --student CFG --method famkd \\
        [--dataset cifar100] [--out FILE]

CFG is the config of a network: a file, or PACKAGE::FILE for one that an installed
package ships, as in mmpretrain::resnet/resnet18_8xb32_in1k.py. Both networks are built
once to find their stages and pair them. Data and schedule are those of the student's
config or, with --dataset, the published ones of the method; train with
tools/train.py FILE, and change in FILE what you would pair or weigh otherwise.
"""

import argparse
import difflib
import os
from pathlib import Path

BASES = Path(__file__).resolve().parents[1] / 'configs/_base_'
# The warm-up of a method is meant for so many; a shorter training has a shorter one.
EPOCHS = 240


def build_parser():
    """Return the command line's parser."""
    methods = sorted(path.stem for path in (BASES / 'methods').glob('*.py'))
    parser = argparse.ArgumentParser(
        description='Write the recipe that distils one network into another'
    )
    parser.add_argument('--teacher', required=True, help='config of the teacher')
    parser.add_argument('--student', required=True, help='config of the student')
    parser.add_argument('--method', required=True, choices=methods)
    parser.add_argument(
        '--dataset',
        help="data and schedule of the method's published recipe for this dataset, as "
        "in cifar100; default: those of the student's config",
    )
    parser.add_argument(
        '--teacher-ckpt',
        help="path or URL; default: the teacher's published checkpoint, where its "
        'package names one, or the one that training it here leaves in work_dirs',
    )
    parser.add_argument(
        '--weight', type=float, help="weight of the distillation; default: the method's"
    )
    parser.add_argument(
        '--input-size',
        type=int,
        nargs='+',
        metavar=('H', 'W'),
        help='size of the images in training; default: what the pipeline gives',
    )
    parser.add_argument('--out', help='default: ./METHOD_TEACHER_STUDENT.py')
    return parser


def load_network(parser, role, path):
    """Build a network from its config.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        role (str): 'teacher' or 'student'.
        path (str): The config.

    Returns:
        tuple[mmengine.Config, mmengine.model.BaseModel]: The config and the network.
    """
    from famkd.models.algorithms.networks import build_network, read_config

    try:
        cfg = read_config(path)
    except (FileNotFoundError, ImportError, ValueError) as error:
        near = near_configs(path)
        hint = f'; near names: {", ".join(near)}' if near else ''
        parser.error(f'--{role}: there is no config {path!r} ({error}){hint}')
    if 'backbone' not in cfg.get('model', {}):
        parser.error(f'--{role}: {path!r} is not the config of a network (no backbone)')
    return cfg, build_network(dict(cfg_path=path))


def near_configs(path):
    """Configs of famkd with a name like that of a path."""
    configs = {p.stem: p for p in (BASES.parent / 'vanilla').rglob('*.py')}
    near = difflib.get_close_matches(Path(path).stem, configs, n=3, cutoff=0.3)
    return [f'famkd::{configs[name].relative_to(BASES.parent)}' for name in near]


def image_size(parser, cfg):
    """Height and width of the images that a config trains with.

    Its training pipeline is run on an empty image.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        cfg (mmengine.Config): Config with a ``train_dataloader``.

    Returns:
        tuple[int, int]: Height and width.
    """
    import numpy as np
    from mmcv.transforms import Compose
    from mmengine.registry import DefaultScope

    image = np.zeros((512, 512, 3), dtype=np.uint8)
    item = dict(img=image, img_shape=(512, 512), ori_shape=(512, 512), gt_label=0)
    try:
        dataset = cfg.train_dataloader.dataset
        while 'pipeline' not in dataset:
            dataset = dataset.dataset
        steps = [step for step in dataset.pipeline if not step.type.startswith('Load')]
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            return tuple(Compose(steps)(item)['inputs'].shape[-2:])
    except Exception as error:
        parser.error(
            '--input-size: give it, since the training pipeline does not tell '
            f'({type(error).__name__}: {error})'
        )


def teacher_checkpoint(path, cfg):
    """The published checkpoint of a config, or where training it leaves one.

    Args:
        path (str): The teacher's config.
        cfg (mmengine.Config): The same, read.

    Returns:
        str: Path or URL.
    """
    from mmengine.hub import get_config

    if '::' in path:
        try:
            return get_config(path, pretrained=True).model_path
        except (AssertionError, AttributeError, FileNotFoundError):
            pass  # its package publishes none
    train = cfg.get('train_cfg', {})
    last = f'iter_{train["max_iters"]}' if 'max_iters' in train else None
    last = last or f'epoch_{train.get("max_epochs", "LAST")}'
    return f'work_dirs/{Path(path).stem}/{last}.pth'


def logits_module(parser, role, network):
    """The module that gives the class scores: the last linear layer of the head.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        role (str): 'teacher' or 'student'.
        network (mmengine.model.BaseModel): The network.

    Returns:
        str: Its name.
    """
    from torch import nn

    head = getattr(network, 'head', None) or nn.Identity()
    layers = [n for n, m in head.named_modules() if isinstance(m, nn.Linear)]
    if not layers:
        parser.error(f'--{role}: its head has no linear layer to take the logits from')
    return f'head.{layers[-1]}'


def find_pairs(parser, networks, shape):
    """Find the stages of both networks, pair them, and show the pairs.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        networks (dict): Role -> network.
        shape (tuple): Shape of an image.

    Returns:
        dict: ``student_stages`` and ``teacher_stages`` of the distiller.
    """
    from famkd.apis.stages import find_stages, pair_stages

    found = {role: find_stages(network, shape) for role, network in networks.items()}
    for role, stages in found.items():
        if not stages:
            parser.error(
                f'--{role}: no module of it gives a map for an image of {shape}'
            )
    pairs = pair_stages(found['student'], found['teacher'])
    print(f'{"student":45} teacher')
    for student, teacher in pairs:
        print(f'{student!s:45} {teacher}')
    return dict(
        student_stages=[student.config for student, _ in pairs],
        teacher_stages=[teacher.config for _, teacher in pairs],
    )


def recipe(parser, args):
    """The recipe that the arguments ask for.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        args (argparse.Namespace): The parsed arguments.

    Returns:
        tuple[str | list[str], dict]: The base, and what the recipe adds to it.
    """
    from mmengine.config import Config

    method = Config.fromfile(BASES / f'methods/{args.method}.py')
    configs, networks = {}, {}
    for role in ('student', 'teacher'):
        configs[role], networks[role] = load_network(parser, role, getattr(args, role))
    base, data = args.student, configs['student']
    if args.dataset:
        base = [
            f'famkd::_base_/methods/{args.method}.py',
            f'famkd::_base_/pairs/{args.dataset}.py',
        ]
        data = published_setting(parser, args.dataset)

    distiller = {}
    model = dict(
        architecture=dict(cfg_path=args.student),
        teacher=dict(cfg_path=args.teacher),
        teacher_ckpt=args.teacher_ckpt
        or teacher_checkpoint(args.teacher, configs['teacher']),
        distiller=distiller,
    )
    template = method.model.distiller
    if template.type != 'ReviewDistiller':
        for role, network in networks.items():
            source = logits_module(parser, role, network)
            distiller[f'{role}_recorders'] = dict(logits=dict(source=source))
    elif args.method.endswith('_fpn'):
        model['input_shape'] = (3, 256, 256)  # any shape: nothing is built for a size
        distiller.update(Config.fromfile(BASES / 'stages/fpn.py').stages)
    else:
        size = args.input_size or image_size(parser, data)
        model['input_shape'] = (3, size[0], size[-1])
        distiller.update(find_pairs(parser, networks, model['input_shape']))
    if args.weight is not None:
        losses = template.get('distill_losses')
        weight = dict(loss_weight=args.weight)
        if losses:
            distiller['distill_losses'] = dict.fromkeys(losses, weight)
        else:
            distiller['loss'] = weight

    hooks = method.get('custom_hooks', [])
    if args.dataset:
        content = dict(model=model)
        if hooks and 'warmup' in data:
            others = [hook for hook in hooks if hook.type != data.warmup.type]
            content['custom_hooks'] = [data.warmup, *others]
        return base, content
    method.merge_from_dict(dict(model=model))
    runtime = Config.fromfile(BASES / 'runtime.py')
    imports = data.get('custom_imports', {}).get('imports', [])
    imports = [imports] if isinstance(imports, str) else imports
    imports = [*imports, *runtime.custom_imports.imports]
    content = dict(
        custom_imports=dict(imports=list(dict.fromkeys(imports))),
        default_hooks=hooks_of_runtime(runtime, data),
        model=dict(_delete_=True, **method.model),
    )
    for hook in hooks:
        if hook.type == 'DistillWarmupHook':
            iters = data.train_cfg.get('max_iters')
            epochs = min(EPOCHS, data.train_cfg.get('max_epochs', EPOCHS))
            hook.length = max(1, hook.length * (iters or epochs) // EPOCHS)
            hook.by_epoch = not iters
    if hooks:
        content['custom_hooks'] = [*data.get('custom_hooks', []), *hooks]
    return base, content


def hooks_of_runtime(runtime, data):
    """What famkd's runtime has that the student's config has not.

    Args:
        runtime (mmengine.Config): The runtime of famkd's recipes.
        data (mmengine.Config): The student's config.

    Returns:
        dict: ``default_hooks`` to add; checkpoints are made as often as before.
    """
    hooks = {
        name: hook
        for name, hook in runtime.default_hooks.items()
        if name not in data.get('default_hooks', {})
    }
    return {**hooks, 'checkpoint': dict(type=runtime.default_hooks.checkpoint.type)}


def published_setting(parser, dataset):
    """What the published recipes for a dataset share: data, schedule, runtime.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        dataset (str): The dataset.

    Returns:
        mmengine.Config: The setting.
    """
    from mmengine.config import Config

    path = BASES / f'pairs/{dataset}.py'
    if not path.is_file():
        known = sorted(p.stem for p in path.parent.glob('*.py'))
        parser.error(
            f'--dataset: there are no recipes for {dataset!r}; choose one of '
            f'{", ".join(known)}, or leave it out'
        )
    return Config.fromfile(path)


def write(path, base, content):
    """Write a recipe.

    Args:
        path (Path): The file.
        base (str | list[str]): Config or configs that it builds on.
        content (dict): What it adds.
    """
    from mmengine.config import Config

    if isinstance(base, str) and '::' not in base:
        base = os.path.relpath(base, path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'_base_ = {base!r}\n\n{Config(content).pretty_text}')


def main(argv=None):
    """Write a recipe; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    names = [Path(path).stem for path in (args.teacher, args.student)]
    path = Path(args.out or '_'.join([args.method, *names]) + '.py')
    if path.exists():
        parser.error(f'--out: {path} exists; delete it or name another')
    write(path, *recipe(parser, args))
    print(f'Wrote {path}. Train it with: python tools/train.py {path} --eval-teacher')


if __name__ == '__main__':
    main()
