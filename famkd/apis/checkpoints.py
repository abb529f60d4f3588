"""Reading checkpoints with the config that they were trained with."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.optional import import_problem
from famkd.checkpoint_keys import read_weights, student_weights

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.model import BaseModel


class LabelAction(argparse.Action):
    """Collects ``--option LABEL VALUE``, given any number of times, in a dict."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: list[str],
        option_string: str | None = None,
    ) -> None:
        label, value = values
        if label in getattr(namespace, self.dest):
            parser.error(f'{option_string} {label} stands there twice; name them apart')
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), label: value})


def device(name: str) -> str:
    """The name of a device, where there is such a device here."""
    import torch

    try:
        torch.empty(0, device=name)
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        reason = str(error).partition('\n')[0]
        message = f'there is no device {name!r} here: {reason}'
        raise argparse.ArgumentTypeError(message) from None
    return name


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--device NAME``."""
    parser.add_argument(
        '--device',
        type=device,
        default='cpu',
        metavar='NAME',
        help='where the networks run, as in cuda or cuda:1; default: %(default)s',
    )


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what names networks and where they run.

    ``--network LABEL CKPT`` and ``--config LABEL CONFIG``, both repeatable, and
    ``--device``.
    """
    parser.add_argument(
        '--network',
        action=LabelAction,
        nargs=2,
        required=True,
        default={},
        metavar=('LABEL', 'CKPT'),
        help='a network to show, again for every further one',
    )
    parser.add_argument(
        '--config',
        action=LabelAction,
        nargs=2,
        default={},
        metavar=('LABEL', 'CONFIG'),
        help='config of the network of this label, where its checkpoint does not hold '
        'it',
    )
    add_device_argument(parser)


def network_files(
    parser: argparse.ArgumentParser, args: argparse.Namespace
) -> dict[str, tuple[str, str | None]]:
    """The networks that the command line names: label -> checkpoint, config or None."""
    for label in args.config:
        if label not in args.network:
            parser.error(
                f'--config {label}: no such network; --network has '
                f'{", ".join(args.network)}'
            )
    return {
        label: (file, args.config.get(label)) for label, file in args.network.items()
    }


def read_checkpoint(
    file: str, config: str | None = None
) -> tuple[dict, 'Config', list[str] | None]:
    """Reads a checkpoint.

    Args:
        file: Path or URL.
        config: Config file, or ``'package::path'``; the config inside the checkpoint
            if None, see :func:`read_foreign_config`: it is not run.

    Returns:
        tuple: The state dict, the config, and the names of the classes (None if the
        checkpoint has none).

    Raises:
        FileNotFoundError: If there is no such checkpoint or config.
        ValueError: If the checkpoint cannot be read, or there is no config.
    """
    from mmengine.config import Config

    from famkd.apis.foreign_config import read_foreign_config
    from famkd.apis.paths import config_file, resolve_paths
    from famkd.runtime.safe_load import load_checkpoint

    if '://' not in file and not Path(file).is_file():
        raise FileNotFoundError(f'{file}: no such checkpoint')
    if config is not None:
        config = config_file(config)
    try:
        checkpoint = load_checkpoint(file)
        weights = read_weights(checkpoint)
    except Exception as error:
        raise ValueError(
            f'{file} cannot be loaded: {type(error).__name__}: {error}'
        ) from error
    meta = _dict(checkpoint.get('meta'))
    # extract_student.py puts the config of the distillation there.
    text = meta.get('cfg') or meta.get('distill_cfg')
    classes = _dict(meta.get('dataset_meta')).get('classes')
    if config is None and not (text and isinstance(text, str)):
        raise ValueError(f'{file}: no config in it; give the config, too')
    if config is not None:
        given = Config.fromfile(config)
        # No more than the student's config is needed: not the teacher's checkpoint.
        student = given.get('model', {}).get('architecture')
        resolve_paths(dict(architecture=student), config)
        return weights, given, classes
    try:
        return weights, read_foreign_config(text), classes
    except (KeyError, ValueError) as error:  # KeyError: of a name that is reserved
        raise ValueError(f'{file}: {error}') from None


def _dict(value: object) -> dict:
    """A record of a checkpoint, which may be anything."""
    return value if isinstance(value, dict) else {}


def load_network(
    file: str, config: str | None = None
) -> tuple['BaseModel', 'Config', list[str] | None]:
    """Builds the network of a checkpoint; of a distillation, the student.

    Args:
        file: Path or URL of the checkpoint.
        config: Config file; the config inside the checkpoint if None.

    Returns:
        tuple: The network in eval mode, the config, and the names of the classes (None
        if the checkpoint has none).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the checkpoint cannot be read, is not of the config's network, or
            that network needs a package that is not there.
    """
    from mmengine.registry import DefaultScope

    from famkd.apis.students import student_config
    from famkd.models.algorithms.networks import build_network

    weights, config, classes = read_checkpoint(file, config)
    if 'model' not in config:
        raise ValueError(f'{file}: its config has no model; give the config, too')
    try:
        with DefaultScope.overwrite_default_scope(config.get('default_scope')):
            model = build_network(student_config(config))
    except ImportError as error:
        raise ValueError(f'{file}: {import_problem(error)}') from None
    except (OSError, ValueError):
        raise
    except Exception as error:  # what stands in a config can make any
        raise ValueError(
            f'{file}: the network of its config cannot be built: '
            f'{type(error).__name__}: {error}'
        ) from error
    model.eval()  # which not all networks give back
    try:
        model.load_state_dict(student_weights(weights) or weights)
    except RuntimeError as error:
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'{file} is not of the network in its config: {reason[:300]}; give the '
            'config that it was trained with'
        ) from None
    return model, config, classes
