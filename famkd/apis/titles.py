"""The role of every experiment; its name and those of metrics for readers."""

from pathlib import Path

from famkd.apis.runs import Experiment, Run, short_name

ROLES = ['teacher', 'student alone', 'distilled', '']
# Methods as recipes name them, and those of them with a part left out or exchanged.
METHODS = {
    'at': 'AT',
    'band-split': 'band split',
    'cwd': 'CWD',
    'dct': 'DCT',
    'dct-kd': 'DCT + KD',
    'dct-real-dft': 'real DFT',
    'dct-real-dft-unguided': 'real DFT, not guided',
    'dct-unguided': 'DCT, not guided',
    'fam-reviewkd': 'FAM + ReviewKD',
    'famkd': 'FAM-KD',
    'famkd-butterworth': 'FAM-KD, Butterworth high-pass',
    'famkd-gaussian': 'FAM-KD, Gaussian high-pass',
    'famkd-kd': 'FAM-KD + KD',
    'famkd-l2l': 'FAM-KD, layer to layer',
    'famkd-no-cross-attention': 'FAM-KD without cross attention',
    'famkd-no-global': 'FAM-KD without global branch',
    'famkd-no-high-pass': 'FAM-KD without high-pass',
    'famkd-no-local': 'FAM-KD without local branch',
    'fourier-kd': 'FourierKD',
    'freekd': 'FreeKD',
    'freekd-prompts': 'FreeKD, prompts',
    'kd': 'KD',
    'label-free': 'FAM-KD without labels',
    'mse': 'MSE',
    'pkt': 'PKT',
    'reviewkd': 'ReviewKD',
    'spectral-kd': 'SpectralKD',
}
# Metrics as the log has them: their names in pictures, with the unit.
METRICS = {
    'accuracy/top1': 'top-1 accuracy (%)',
    'accuracy/top5': 'top-5 accuracy (%)',
    'single-label/recall': 'mean class accuracy (%)',
    'coco/bbox_mAP': 'box AP (0 to 1)',
    'coco/bbox_mAP_50': 'box AP50 (0 to 1)',
    'coco/segm_mAP': 'mask AP (0 to 1)',
    'aAcc': 'pixels right (%)',
    'mIoU': 'mean IoU (%)',
    'mAcc': 'mean class accuracy (%)',
}


def find_roles(experiments: list[Experiment]) -> list[str]:
    """The role of every experiment, one of ``ROLES``, by what the configs name."""
    models = [experiment.runs[0].config.get('model', {}) for experiment in experiments]
    distilled = [model for model in models if 'teacher' in model]
    roles = []
    for experiment, model in zip(experiments, models, strict=True):
        if 'teacher' in model:
            roles.append('distilled')
        elif any(_is_network(experiment.runs[0], m['teacher']) for m in distilled):
            roles.append('teacher')
        elif any(_is_network(experiment.runs[0], m['architecture']) for m in distilled):
            roles.append('student alone')
        else:
            roles.append('')
    return roles


def find_titles(experiments: list[Experiment]) -> list[str]:
    """What to call every experiment in a table or a legend.

    A distillation is called by its method, and by its pair where the experiments have
    several; a teacher and a student alone by their roles, where there is one of each.
    All others, and those that would be called the same, keep their names.
    """
    roles = find_roles(experiments)
    parts = [split_name(experiment.name) for experiment in experiments]
    distilled = zip(parts, roles, strict=True)
    pairs = {pair for (method, pair), r in distilled if method and r == 'distilled'}
    titles = []
    for experiment, role, (method, pair) in zip(experiments, roles, parts, strict=True):
        if role == 'distilled' and method:
            titles.append(METHODS[method] + ('' if len(pairs) == 1 else f', {pair}'))
        elif role in ('teacher', 'student alone') and roles.count(role) == 1:
            titles.append(role)
        else:
            titles.append(experiment.name)
    return [
        title if titles.count(title) == 1 else experiment.name
        for title, experiment in zip(titles, experiments, strict=True)
    ]


def split_name(name: str) -> tuple[str, str]:
    """The method in the name of an experiment ('' for none), and the rest.

    ``famkd-l2l_resnet56_resnet20_cifar100`` is ``famkd-l2l`` of
    ``resnet56_resnet20_cifar100``.
    """
    name = short_name(Path(name).name)
    method, _, rest = name.partition('_')
    return (method, rest) if method in METHODS else ('', name)


def _is_network(run: Run, part: dict) -> bool:
    """Whether a run trained the network that a distillation config describes."""
    if 'cfg_path' in part:
        name = part['cfg_path'].rpartition('::')[2]
        return short_name(Path(name).stem) == run.name
    backbone = run.config.get('model', {}).get('backbone')
    return backbone is not None and backbone == part.get('backbone')
