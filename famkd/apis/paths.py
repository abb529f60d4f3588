"""Paths of configs, paths in them, and paths to write to."""

import argparse
from pathlib import Path

from famkd.renamed import current_path
from famkd.shipped import MIM, NotInstalledError

CONFIGS = MIM / 'configs'  # those that famkd ships
ADVICE = {
    'cfg_path': "; a base in another folder names a file beside it as '{{ fileDirname "
    "}}/NAME.py'",
    'teacher_ckpt': '; train the teacher first, or set it to its checkpoint',
    'prompts': '; tune the prompts first, or set it to their checkpoint',
}


def config_file(path: str) -> str:
    """The file of a config.

    Args:
        path: Path of a file, or ``'package::path'`` for one that an installed package
            ships; old names of recipes are known, see :mod:`famkd.renamed`.

    Raises:
        FileNotFoundError: If there is none; if famkd itself is not installed, a
            :class:`~famkd.shipped.NotInstalledError`.
    """
    from mmengine.config import Config

    import famkd.registry  # noqa: F401 (lets a config inherit from 'famkd::...')

    if '::' not in path:
        file = path if Path(path).is_file() else current_path(path)
        if not Path(file).is_file():
            raise FileNotFoundError(f'there is no file {path!r}')
        return file
    try:
        return Config._get_cfg_path(path, '')[0]
    except NotInstalledError:
        raise
    except (AssertionError, FileNotFoundError, ModuleNotFoundError, ValueError):
        raise FileNotFoundError(f'no installed package has {path!r}') from None


def resolve_paths(model: dict, recipe: str | Path) -> None:
    """Makes the paths in a distillation's config independent of the current folder.

    A plain path in ``architecture.cfg_path``, ``teacher.cfg_path``, ``teacher_ckpt``
    or ``distiller.prompts`` is taken from the folder of the recipe, as ``_base_`` is,
    or from the current one.

    Args:
        model: Config of the model, changed in place. Of a network alone, nothing is.
        recipe: The file that it was read from.

    Raises:
        FileNotFoundError: If there is no such file in either, or the package has no
            such config; names the key, the recipe and the places.
    """
    places = [
        (model, 'teacher_ckpt', 'model.teacher_ckpt'),
        (model.get('distiller', {}), 'prompts', 'model.distiller.prompts'),
    ]
    for role in ('architecture', 'teacher'):
        if isinstance(model.get(role), dict):
            places.append((model[role], 'cfg_path', f'model.{role}.cfg_path'))
    for holder, key, name in places:
        path = holder.get(key)
        if path and '::' in path:
            try:
                config_file(path)
            except FileNotFoundError as error:
                raise FileNotFoundError(f'{name} in {recipe}: {error}') from None
            continue
        if not path or '://' in path or Path(path).is_absolute():
            continue
        candidates = [Path(recipe).resolve().parent / path, Path.cwd() / path]
        found = [file for file in candidates if file.is_file()]
        if found:
            holder[key] = str(found[0])
            continue
        raise FileNotFoundError(
            f'{name}={path!r} in {recipe}: there is no {candidates[0]} and no '
            f'{candidates[1]}{ADVICE.get(key, "")}'
        )


def check_output(parser: argparse.ArgumentParser, source: Path, out: Path) -> None:
    """Checks that a file can be written without a loss.

    Args:
        parser: Reports the error.
        source: The file that is converted.
        out: The one to write, ``OUT`` on the command line.
    """
    if out.is_dir():
        parser.error(f'OUT: {out} is a folder; name the file to write')
    if out.exists() and out.samefile(source):
        parser.error(f'OUT: {out} is the file to convert; name another one')
