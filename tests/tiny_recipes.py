"""What tests of detectors and of segmentors do alike with tiny recipes."""

import json
from pathlib import Path

import torch
from mmengine.config import Config
from same_checkpoints import check_same
from tool_fixtures import load_tool

import famkd.registry  # noqa: F401 (lets a config inherit from 'mmseg::...')

CONFIGS = Path(__file__).parents[1] / 'configs'


def write_recipes(folder, options, recipes):
    """Write recipes with changes, and return their paths by name.

    Args:
        folder (Path): Where they go.
        options (dict): Dotted key -> value, in all of them.
        recipes (dict): Name -> path below ``configs/``, and its own changes.
    """
    for name, (recipe, changes) in recipes.items():
        config = Config.fromfile(CONFIGS / recipe)
        # Visualizers are known by their names: one for each run, to log in its folder.
        visualizer = {'visualizer.name': f'{folder.name}-{name}'}
        config.merge_from_dict({**options, **changes, **visualizer})
        config.dump(folder / f'{name}.py')
    return {name: folder / f'{name}.py' for name in recipes}


def train(configs, *names):
    """Train by the tool, and return the work folders of all configs by name."""
    folders = {name: path.with_suffix('') for name, path in configs.items()}
    for name in names:
        argv = [str(configs[name]), '--work-dir', str(folders[name])]
        load_tool('train').main([*argv, '--cfg-options', 'randomness.seed=0'])
    return folders


def logged(folder):
    """The lines of a training's log."""
    (log,) = folder.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def check_resume(config, run, folder):
    """Resume a training of two iterations after the first: it ends the same.

    Args:
        config (Path): Its config.
        run (Path): Its work folder.
        folder (Path): That of the resumed one.
    """
    argv = [str(config), '--work-dir', str(folder), '--no-validate']
    argv += ['--resume', str(run / 'iter_1.pth')]
    argv += ['--cfg-options', f'visualizer.name={run.parent.name}-resumed']
    load_tool('train').main(argv)
    (step,) = logged(folder)
    assert step['iter'] == 2
    resumed, whole = (
        torch.load(x / 'iter_2.pth', weights_only=False) for x in (folder, run)
    )
    assert resumed['meta']['iter'] == 2
    check_same(resumed['state_dict'], whole['state_dict'], 'weights')


def check_parts(run):
    """Check that the checkpoint of a distillation holds student and distiller only."""
    weights = torch.load(run / 'iter_2.pth', weights_only=False)['state_dict']
    parts = {key.partition('.')[0] for key in weights}
    assert parts == {'architecture', 'distiller', '_extra_state'}


def check_student(configs, run, folder, models):
    """Check that an extracted student is tested as in the distillation, and is plain.

    Args:
        configs (dict): Paths of the configs, ``famkd`` and ``student``.
        run (Path): Work folder of the distillation.
        folder (Path): Where the student goes.
        models (Registry): Of the package of the network.
    """
    distilled, student = run / 'iter_2.pth', folder / 'student.pth'
    argv = ['--work-dir', str(folder)]
    test = load_tool('test').main
    inside = test([str(configs['famkd']), str(distilled), *argv])
    load_tool('model_converters/extract_student').main([str(distilled), str(student)])
    assert test([str(configs['student']), str(student), *argv]) == inside

    network = models.build(Config.fromfile(configs['student']).model)
    content = torch.load(student, weights_only=False)
    network.load_state_dict(content['state_dict'], strict=True)
