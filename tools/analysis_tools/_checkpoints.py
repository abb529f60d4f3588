"""Reading checkpoints with the config that they were trained with."""

from pathlib import Path


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

    from famkd.checkpoint import load_checkpoint

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
