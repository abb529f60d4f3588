"""Reading checkpoints with the config that they were trained with."""

import argparse
from pathlib import Path

STUDENT = 'architecture.'  # MMRazor's name of the student inside an algorithm


class NetworkAction(argparse.Action):
    """Collects ``--network LABEL CKPT [CONFIG]`` in a dict: label -> files."""

    def __call__(self, parser, namespace, values, option_string=None):
        if len(values) not in (2, 3):
            parser.error(f'--network {" ".join(values)}: give LABEL CKPT [CONFIG]')
        label, *files = values
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), label: files})


def add_network_argument(parser) -> None:
    """Adds ``--network LABEL CKPT [CONFIG]``, as often as one likes."""
    parser.add_argument(
        '--network',
        action=NetworkAction,
        nargs='+',
        required=True,
        default={},
        metavar=('LABEL CKPT', 'CONFIG'),
        help='a network to show, again for every further one; CONFIG where the '
        'checkpoint does not hold its config',
    )


def read_checkpoint(file: str, config: str | None = None) -> tuple:
    """Reads a checkpoint.

    Args:
        file: Path or URL.
        config: Config file; the config inside the checkpoint if None.

    Returns:
        tuple: The state dict, the ``mmengine.Config``, and the names of the classes
        (None if the checkpoint has none).

    Raises:
        FileNotFoundError: If there is no such checkpoint or config.
        ValueError: If the checkpoint cannot be read, or there is no config.
    """
    from mmengine.config import Config

    from famkd.runtime.safe_load import load_checkpoint

    if '://' not in file and not Path(file).is_file():
        raise FileNotFoundError(f'{file}: no such checkpoint')
    if config is not None and not Path(config).is_file():
        raise FileNotFoundError(f'{config}: no such config')
    try:
        checkpoint = load_checkpoint(file)
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {key.removeprefix('module.'): x for key, x in weights.items()}
    except Exception as error:
        raise ValueError(
            f'{file} cannot be loaded: {type(error).__name__}: {error}'
        ) from error
    meta = checkpoint.get('meta', {})
    # extract_student.py puts the config of the distillation there.
    text = meta.get('cfg') or meta.get('distill_cfg')
    if config is None and not text:
        raise ValueError(f'{file}: no config in it; give the config, too')
    config = Config.fromfile(config) if config else Config.fromstring(text, '.py')
    return weights, config, meta.get('dataset_meta', {}).get('classes')


def load_network(file: str, config: str | None = None) -> tuple:
    """Builds the network of a checkpoint; of a distillation, the student.

    Args:
        file: Path or URL of the checkpoint.
        config: Config file; the config inside the checkpoint if None.

    Returns:
        tuple: The network in eval mode, the ``mmengine.Config``, and the names of the
        classes (None if the checkpoint has none).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the checkpoint cannot be read or is not of the config's network.
    """
    from mmengine.registry import DefaultScope

    from famkd.models.algorithms.networks import build_network

    weights, config, classes = read_checkpoint(file, config)
    students = {
        key.removeprefix(STUDENT): value
        for key, value in weights.items()
        if key.startswith(STUDENT)
    }
    network = dict(config.model.get('architecture', config.model))
    if 'cfg_path' not in network:
        own = network.get('data_preprocessor')
        network['data_preprocessor'] = own or config.get('data_preprocessor')
    with DefaultScope.overwrite_default_scope(config.get('default_scope')):
        model = build_network(network).eval()
    try:
        model.load_state_dict(students or weights)
    except RuntimeError as error:
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'{file} is not of the network in its config: {reason[:300]}; give the '
            'config that it was trained with'
        ) from None
    return model, config, classes
