"""Weights that a network starts from: they must be its own."""

from mmengine.logging import print_log
from mmengine.model import PretrainedInit, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import load_state_dict
from torch import Tensor, nn

from famkd.checkpoint_keys import foreign_weights, read_weights
from famkd.names import first_names
from famkd.runtime.safe_load import load_checkpoint


@WEIGHT_INITIALIZERS.register_module('Pretrained', force=True)
class CheckedPretrainedInit(PretrainedInit):
    """MMEngine's ``init_cfg=dict(type='Pretrained')``, which refuses another network.

    MMEngine lists what does not fit, and goes on with random weights.

    Args:
        checkpoint: Path, URL or name in a model zoo.
        prefix: The module in the checkpoint, such as ``'backbone'``. Defaults to None.
        map_location: As in MMEngine; the weights go to where the module is. Defaults
            to 'cpu'.
        allow_unused_weights: Whether the checkpoint may be of a larger network: have
            weights of no use, other than those of heads, necks and averaged copies.
            Defaults to False.

    Raises:
        ValueError: If none of the weights fits, or some are of a larger network.
    """

    def __init__(
        self,
        checkpoint: str,
        prefix: str | None = None,
        map_location: str = 'cpu',
        allow_unused_weights: bool = False,
    ) -> None:
        super().__init__(checkpoint, prefix, map_location)
        self.allow_unused_weights = allow_unused_weights

    def __call__(self, module: nn.Module) -> None:
        """Checks the checkpoint, and fills a module."""
        print_log(f'load {self.prefix or "model"} from: {self.checkpoint}', 'current')
        load_state_dict(module, self._read(module), strict=False, logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=self._get_init_info())

    def _read(self, module: nn.Module) -> dict[str, Tensor]:
        """The weights in the checkpoint, if they are of this module."""
        prefix = f'{self.prefix.rstrip(".")}.' if self.prefix else ''
        try:
            weights = read_weights(load_checkpoint(self.checkpoint))
        except ValueError as error:
            raise ValueError(f'init_cfg: {self.checkpoint}: {error}') from None
        given = {
            name.removeprefix(prefix): value
            for name, value in weights.items()
            if name.startswith(prefix) and isinstance(value, Tensor)
        }
        wanted = module.state_dict()
        fitting = [
            name
            for name, value in given.items()
            # a counter of BN has no dimension, and fits anywhere
            if name in wanted and value.ndim and value.shape == wanted[name].shape
        ]
        unused = [name for name in given if name not in wanted]
        foreign = foreign_weights(unused, dict(module.named_modules()))
        if fitting and (self.allow_unused_weights or not foreign):
            return given
        names = foreign or unused or list(given)
        raise ValueError(
            f'init_cfg: checkpoint={self.checkpoint!r} is not of this '
            f'{type(module).__name__}: {len(fitting)} of its {len(given)} entries fit, '
            f'{len(unused)} are of no use ({first_names(names)}); give one of '
            'this network'
            + (', or set init_cfg.allow_unused_weights=True' if fitting else '')
        )
