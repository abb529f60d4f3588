"""Links between the files of the repository lead somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob('*.md'),
    *(ROOT / 'docs').glob('*.md'),
    *(ROOT / 'configs').rglob('*.md'),
    ROOT / 'benchmarks/README.md',
    ROOT / 'famkd/runtime/README.md',
]
LINK = re.compile(r'\]\((?!https?://|mailto:)([^)#\s]+)')


def test_links_to_files_lead_somewhere():
    broken = [
        f'{page.relative_to(ROOT)}: {target}'
        for page in PAGES
        for target in LINK.findall(page.read_text(encoding='utf-8'))
        if not (page.parent / target).exists()
    ]
    assert not broken
