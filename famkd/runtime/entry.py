"""How a program switches the runtime on: once for MMEngine, once for a config."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config


def install() -> None:
    """Makes MMEngine, in this process, read and write checkpoints safely.

    - Whatever loads a checkpoint reads it with :func:`~.safe_load.read_file`, which
      runs no code that a file may hold.
    - ``mmengine.load`` refuses pickles, and reads plain values of YAML.
    - ``type='CheckpointHook'`` in a config builds
      :class:`~.safe_checkpoint_hook.SafeCheckpointHook` from now on.
    - The hooks of this package are registered, so that a config can name them.

    It may be called again; nothing changes then.

    Raises:
        ImportError: If this version of MMEngine lacks what would be replaced, so that
            unsafe files would be read without a word. Names both.
    """
    import mmengine
    from mmengine import hooks
    from mmengine.registry import HOOKS
    from mmengine.runner import checkpoint

    replaced = [
        (checkpoint, '_safe_torch_load'),
        (checkpoint, 'load_url'),
        (hooks, 'CheckpointHook'),
    ]
    for owner, name in replaced:
        if not hasattr(owner, name):
            raise ImportError(
                f'mmengine {mmengine.__version__} has no {owner.__name__}.{name}, '
                'which is replaced here so that checkpoints are read and written '
                'safely; install onedl-mmengine>=0.10.12'
            )

    from . import cpu_amp_optim_wrapper, runtime_hook  # noqa: F401 (registers them)
    from .downloads import read_url
    from .safe_checkpoint_hook import SafeCheckpointHook
    from .safe_handlers import replace_handlers
    from .safe_load import read_file

    replace_handlers()
    checkpoint._safe_torch_load = read_file
    checkpoint.load_url = read_url
    HOOKS.register_module('CheckpointHook', force=True, module=SafeCheckpointHook)
    hooks.CheckpointHook = SafeCheckpointHook  # for configs that name the class


def switch_on(config: 'Config') -> None:
    """Adds :class:`~.runtime_hook.RuntimeHook` to a config, unless it is switched off.

    ``default_hooks.runtime`` may hold options of it, or None: then it is left out.

    Args:
        config: The complete config, changed in place.
    """
    config.setdefault('default_hooks', {})
    hooks = config.default_hooks
    hooks.setdefault('runtime', {})
    if hooks.runtime is None:
        del hooks['runtime']
    else:
        hooks.runtime.setdefault('type', 'RuntimeHook')
