"""Paths in a recipe."""

from pathlib import Path

ADVICE = {
    'teacher_ckpt': '; train the teacher first, or set it to its checkpoint',
    'prompts': '; tune the prompts first, or set it to their checkpoint',
}


def resolve_paths(model: dict, recipe: str | Path) -> None:
    """Makes the paths in a distillation's config independent of the current folder.

    A plain path in ``architecture.cfg_path``, ``teacher.cfg_path``, ``teacher_ckpt``
    or ``distiller.prompts`` is taken from the folder of the recipe, as ``_base_`` is,
    or from the current one.

    Args:
        model: Config of the model, changed in place. Of a network alone, nothing is.
        recipe: The file that it was read from.

    Raises:
        FileNotFoundError: If there is no such file in either; names the key, the
            recipe and both places.
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
        if not path or '://' in path or '::' in path or Path(path).is_absolute():
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
