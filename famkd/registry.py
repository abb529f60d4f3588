"""The scope ``famkd``, and where MMEngine finds the configs of each package.

``_base_ = 'famkd::...'`` makes MMEngine build what comes from that file in the scope of
that name. It has no components of its own: those of famkd are registered in
mmpretrain's and MMRazor's registries. So a name that is looked up in scope ``famkd`` is
looked up in mmpretrain's.

Wherever famkd is used this module is imported: it also makes MMEngine read and write
checkpoints safely, and find recipes by their old names.
"""

from importlib.util import find_spec

import mmengine.config.config
import mmengine.hub.hub
import mmpretrain.registry
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
