"""Building networks from the configs that name them."""

from pathlib import Path

from mmengine.config import Config
from mmengine.model import BaseModel
from mmrazor.registry import MODELS

from famkd.renamed import current_path
from famkd.shipped import NotInstalledError


def build_network(network: dict | BaseModel) -> BaseModel:
    """Builds a network from a model config or from the config file that has it.

    Args:
        network: A model config; or ``dict(cfg_path=FILE, **changes)``, where
            FILE is the path of a config, or ``'package::path'`` for one that
            an installed package ships, and ``changes`` are merged into its
            ``model``; or a network, which is returned.

    Returns:
        BaseModel: The network, with the file's ``data_preprocessor``, built in
        the file's ``default_scope``.

    Raises:
        ValueError: If it is a backbone or another part of a network by itself.
    """
    if isinstance(network, BaseModel):
        return network
    config = network_config(network)
    built = MODELS.build(config)
    if not isinstance(built, BaseModel):
        name = type(built).__name__
        raise ValueError(
            f'type={name!r} is a part of a network, not one by itself: a backbone '
            "without a head is dict(type='mmpretrain.ImageClassifier', "
            f"backbone=dict(type='{name}', ...), head=None)"
        )
    return built


def build_teacher(teacher: dict | BaseModel) -> BaseModel:
    """Builds a teacher; one that is a network already keeps the weights that it has.

    Args:
        teacher: As :func:`build_network` takes it.
    """
    network = build_network(teacher)
    network._is_init = network is teacher  # else `init_weights` draws them
    return network


def network_config(network: dict) -> dict:
    """The model config of a network, which may be in a config file of its own.

    Args:
        network: A model config or ``dict(cfg_path=FILE, **changes)``, see
            :func:`build_network`.

    Returns:
        dict: The model config. Of a file, it has the file's ``data_preprocessor``,
        and its ``default_scope`` as ``_scope_``, in which a registry builds it.
    """
    if 'cfg_path' not in network:
        return dict(network)
    changes = dict(network)
    path = changes.pop('cfg_path')
    try:
        config = read_config(path)
    except NotInstalledError:
        raise
    except FileNotFoundError:
        package, _, file = path.rpartition('::')
        place = f'in {package}' if package else f'from the current folder, {Path.cwd()}'
        hint = (
            f'{file!r} is looked for below its configs'
            if package
            else "famkd's tools look in the folder of the recipe, too; with others, "
            "give an absolute path or 'package::path'"
        )
        raise FileNotFoundError(
            f'cfg_path={path!r}: no such config {place}; {hint}'
        ) from None
    model = config.model
    if 'data_preprocessor' in config and 'data_preprocessor' not in model:
        model.data_preprocessor = config.data_preprocessor
    Config.merge_from_dict(config, {'model': changes})
    if config.get('default_scope'):
        config.model.setdefault('_scope_', config.default_scope)
    return config.model


def read_config(path: str) -> Config:
    """Reads a config.

    Args:
        path: Path of a file, or ``'package::path'`` for one that an installed
            package ships.
    """
    if '::' in path:
        # `_base_` is how mmengine finds the config of another package.
        return Config.fromstring(f'_base_ = [{path!r}]', '.py')
    return Config.fromfile(path if Path(path).is_file() else current_path(path))
