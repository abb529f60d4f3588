"""The scope ``famkd``, and where MMEngine finds the configs of each package.

The scope has no components of its own: those of famkd are registered in the registries
of mmpretrain, mmdet, mmseg and MMRazor. So what comes from ``_base_ = 'famkd::...'`` is
built in the config's own default scope, as where a file is inherited by its path (for
other packages MMEngine takes the scope of that name: a loop from there would not find
the data sets of mmseg). A name in scope ``famkd`` is looked up in mmpretrain's.

Wherever famkd is used this module is imported: it also makes MMEngine read and write
checkpoints safely, and find recipes by their old names.
"""

from collections.abc import Callable
from importlib.util import find_spec

import mmengine.config.config
import mmengine.hub.hub
import mmpretrain.registry
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry

from famkd.compat import OPENMMLAB
from famkd.renamed import forwarding
from famkd.runtime import install
from famkd.shipped import checking

install()

FAMKD = ['famkd.models', 'famkd.engine', 'famkd.datasets']

# MMEngine reads the configs of the packages in this table only, and asks for one
# distribution of each: `mmseg::` for mmsegmentation, where onedl-mmsegmentation may be
# installed. The name of the module finds it whatever the distribution.
MODULE2PACKAGE['famkd'] = 'famkd'
for _module in MODULE2PACKAGE.keys() & OPENMMLAB.keys():
    _installed = find_spec(_module) is not None
    MODULE2PACKAGE[_module] = _module if _installed else OPENMMLAB[_module][0]


def without_scope(find: Callable) -> Callable:
    """Makes MMEngine's search for a base say no scope for those of famkd."""

    def find_base(cfg_path: str, filename: str) -> tuple[str, str | None]:
        path, scope = find(cfg_path, filename)
        return path, None if scope == 'famkd' else scope

    return find_base


Config._get_cfg_path = staticmethod(without_scope(Config._get_cfg_path))
for _user in (mmengine.config.config, mmengine.hub.hub):
    _user._get_external_cfg_base_path = forwarding(_user._get_external_cfg_base_path)
    _user.get_installed_path = checking(_user.get_installed_path)

for _parent in list(vars(mmpretrain.registry).values()):
    if isinstance(_parent, Registry) and _parent.scope == 'mmpretrain':
        Registry(
            _parent.name,
            parent=_parent,
            scope='famkd',
            # the modules to import before a name is looked up
            locations=[*_parent._locations, *FAMKD],
        )
