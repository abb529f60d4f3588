"""Build commands; the metadata is in setup.cfg."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM = ('configs', 'tools', 'model-index.yml')


class BuildWithMim(build_py):
    """Puts configs and tools in ``famkd/.mim``, where MMEngine and MIM look.

    An editable install gets links to them, so that there is one copy to edit; a
    wheel gets copies.
    """

    def run(self):
        super().run()
        if self.editable_mode:
            mim = ROOT / 'famkd' / '.mim'
            shutil.rmtree(mim, ignore_errors=True)
            mim.mkdir()
            for name in MIM:
                (mim / name).symlink_to(Path('..', '..', name))
        else:
            mim = Path(self.build_lib, 'famkd', '.mim')
            shutil.rmtree(mim, ignore_errors=True)
            mim.mkdir(parents=True)
            ignore = shutil.ignore_patterns('__pycache__')
            for name in MIM:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, mim / name, ignore=ignore)
                else:
                    shutil.copy(ROOT / name, mim / name)


setup(cmdclass={'build_py': BuildWithMim})
