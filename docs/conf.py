"""Sphinx, by ``make docs``: the Markdown files of the repository as one site.

The source folder is the repository, so that links between files are the same on the
site and where the repository is browsed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import famkd  # noqa: E402

project = 'famkd'
author = 'The famkd maintainers'
copyright = author
version = release = famkd.__version__

root_doc = 'docs/index'
include_patterns = [
    'docs/*.md',
    'configs/README.md',
    'configs/*/README.md',
    'benchmarks/README.md',
    'famkd/runtime/README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
]
exclude_patterns = ['.*', 'build', 'data', 'work_dirs', 'famkd/.mim']

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx_copybutton',
]
myst_heading_anchors = 3
autodoc_typehints = 'description'
autodoc_member_order = 'bysource'
autodoc_inherit_docstrings = False  # the others' are OpenMMLab's
napoleon_use_rtype = False

html_theme = 'furo'
html_title = f'famkd {version}'
