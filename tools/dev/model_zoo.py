"""Write README.md and metafile.yml of every method, and model-index.yml.

    python tools/dev/model_zoo.py

They are made from the recipes and their names, the table in docs/methods.md, and the
results in famkd/apis (published.csv and measured.csv). Run it after adding a recipe or
a result; a test compares.
"""

import csv
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import yaml

from famkd.apis.runs import short_name
from famkd.apis.tables import markdown_table, number, published_result

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'
MEASURED = ROOT / 'famkd/apis/measured.csv'
TOP1 = 'accuracy/top1', 'Top 1 Accuracy', 'Image Classification'
BOX_AP = 'coco/bbox_mAP', 'box AP', 'Object Detection'
MIOU = 'mIoU', 'mIoU', 'Semantic Segmentation'
# The last part of a recipe's name, without a size: the data set, and its metric.
DATA = {
    'ade20k': ('ADE20K, scenes', TOP1),
    'bccd': ('BCCD', BOX_AP),
    'bccd-small': ('BCCD, small', BOX_AP),
    'camvid': ('CamVid', MIOU),
    'cifar10': ('CIFAR-10', TOP1),
    'cifar100': ('CIFAR-100', TOP1),
    'cityscapes': ('Cityscapes', MIOU),
    'coco': ('COCO', BOX_AP),
    'folder': ('a folder of images', TOP1),
    'in1k': ('ImageNet-1k', TOP1),
    'mit67': ('MIT Indoor 67', TOP1),
    'scene15': ('15 scene categories', TOP1),
    'sun397': ('SUN397', TOP1),
    'voc12aug': ('Pascal VOC 2012', MIOU),
}


OTHER_RECIPES = (
    'what belongs to no method; the other recipes of this folder are on the pages of '
    'their methods'
)


class Page(NamedTuple):
    """What is said of the recipes of a folder: title, idea, and the link to a paper."""

    title: str
    idea: str
    paper: str | None = None


def read_pages() -> dict[str, Page]:
    """Folder of a method -> its page, from the table in docs/methods.md."""
    pages, papers, url = {}, {}, None
    for line in (ROOT / 'docs/methods.md').read_text(encoding='utf-8').splitlines():
        if not line.startswith('| **'):
            continue
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        title, idea, recipe, paper = cells[0].strip('*'), cells[1], *cells[-2:]
        link = re.search(r'\]\((.*?)\)', paper)
        # Without a link, it is the paper of the row that is named, or of the one above.
        named = papers.get(paper.removeprefix('the same as '))
        papers[title] = url = link[1] if link else named or url
        folder = re.search(r'configs/(\w+)/', recipe)
        if folder:
            pages[folder[1]] = Page(title, idea, url)
    pages['vanilla'] = Page(
        'Networks alone', 'the teachers, and the students to compare with'
    )
    pages['ablations'] = Page(
        'Ablations of FAM-KD', 'a part left out or exchanged', papers['FAM-KD']
    )
    return pages


def page_of(recipe: Path, pages: dict[str, Page]) -> str:
    """The folder on whose page a recipe stands.

    Args:
        recipe: Path below ``configs/``.
        pages: Folder -> page; gets one for a folder with methods of its own.
    """
    top = recipe.parts[0]
    text = (CONFIGS / recipe).read_text(encoding='utf-8')
    # The last: a recipe that changes another one.
    if not any(x in text for x in ('methods/', 'FeatureDistill', 'distiller=')):
        return 'vanilla'
    if top == 'ablations':
        return top
    method = recipe.stem.partition('_')[0]
    names = {folder: folder.replace('_', '-') for folder in pages}
    # dct-unguided is a form of dct.
    fitting = [f for f, name in names.items() if f'{method}-'.startswith(f'{name}-')]
    if not fitting:
        pages.setdefault(top, Page(top, OTHER_RECIPES))
    return max(fitting, key=len, default=top)


def read_measured() -> dict[tuple[str, str], dict[str, str]]:
    """Our own results: (recipe, metric) -> the row of measured.csv."""
    with open(MEASURED, newline='', encoding='utf-8') as file:
        return {(row['recipe'], row['metric']): row for row in csv.DictReader(file)}


class Entry(NamedTuple):
    """A recipe in the zoo: its path below ``configs/``, and what is known of it."""

    recipe: Path
    metric: tuple[str, str, str]
    published: float | None
    source: str | None
    measured: dict[str, str] | None


def data_of(recipe: Path) -> str:
    """The data set in the name of a recipe: ``camvid`` of ``..._camvid-144x192.py``."""
    return re.sub(r'-\d+x\d+$', '', recipe.stem.rpartition('_')[2])


def read_entry(recipe: Path, measured: dict[tuple[str, str], dict[str, str]]) -> Entry:
    """Looks up what is published for a recipe, and what was measured here."""
    data = data_of(recipe)
    if data not in DATA:
        raise ValueError(
            f'{recipe}: the last part of its name, {data!r}, is no data set; rename '
            'it, or add the data set to DATA in tools/dev/model_zoo.py'
        )
    metric = DATA[data][1]
    value, source = published_result(short_name(recipe.stem), metric[0])
    found = measured.get((recipe.stem, metric[0]))
    return Entry(recipe, metric, value, source, found)


def readme(folder: str, page: Page, entries: list[Entry]) -> str:
    """The README.md of a folder."""
    up = '../' * len(Path(folder).parts)
    rows = [['Recipe', 'Metric', 'Published', 'Measured here', 'Protocol here']]
    sources = sorted({e.source for e in entries if e.source})
    for entry in entries:
        row = entry.measured
        name, link = entry.recipe.stem, f'{up}{entry.recipe}'
        if entry.recipe.parts[0] == folder:
            link = str(entry.recipe.relative_to(folder))
        published = number(entry.published)
        if entry.source:
            published += f' ({sources.index(entry.source) + 1})'
        here = protocol = '-'
        if row:
            deviation = float(row['deviation']) if row['deviation'] else None
            digits = len(row['value'].partition('.')[2])
            here = number(float(row['value']), deviation, digits)
            runs = 'one run' if row['runs'] == '1' else f'{row["runs"]} runs'
            protocol = f'{row["protocol"]}; {runs}'
        rows.append([f'[{name}]({link})', entry.metric[1], published, here, protocol])
    lines = [
        '<!-- Written by tools/dev/model_zoo.py: change what it reads. -->',
        f'# {page.title}',
        '',
        f'{page.idea[0].upper()}{page.idea[1:]}.'
        + (f' [Paper]({page.paper}).' if page.paper else ''),
        '',
        f'In one table with the other methods: [methods]({up}../docs/methods.md). '
        'Metrics in %.',
        '',
        markdown_table(rows),
    ]
    if sources:
        lines += ['', *(f'{i}. {source}' for i, source in enumerate(sources, 1))]
    return '\n'.join(lines) + '\n'


def metafile(folder: str, page: Page, entries: list[Entry]) -> dict:
    """The metafile.yml of a folder, as MIM and MMEngine read it."""
    collection = dict(Name=page.title, README=f'configs/{folder}/README.md')
    if page.paper:
        collection['Paper'] = dict(URL=page.paper, Title=page.title)
    models = []
    for recipe, (_, name, task), published, source, row in entries:
        [setting] = re.findall(r'_(\d+xb\d+(?:-\w+)?)_', recipe.stem)
        model = dict(
            Name=recipe.stem,
            Config=f'configs/{recipe}',
            Metadata={'Training Settings': setting},
        )
        model['In Collection'] = page.title
        if published is not None:
            model['Metadata'][f'Published {name}'] = published
            model['Metadata']['Published By'] = source
        if row:
            data = DATA[data_of(recipe)][0]
            metrics = {name: float(row['value'])}
            model['Results'] = [dict(Task=task, Dataset=data, Metrics=metrics)]
        models.append(model)
    return dict(Collections=[collection], Models=models)


def model_zoo() -> dict[str, str]:
    """All files that this script writes: path in the repository -> content."""
    pages, measured = read_pages(), read_measured()
    groups = defaultdict(list)
    for path in sorted(CONFIGS.rglob('*.py')):
        recipe = path.relative_to(CONFIGS)
        if recipe.parts[0] not in ('_base_', 'demo'):
            groups[page_of(recipe, pages)].append(read_entry(recipe, measured))
    files = {}
    for folder, entries in sorted(groups.items()):
        content = metafile(folder, pages[folder], entries)
        files[f'configs/{folder}/metafile.yml'] = yaml.safe_dump(
            content, sort_keys=False, allow_unicode=True
        )
        files[f'configs/{folder}/README.md'] = readme(folder, pages[folder], entries)
    index = dict(Import=[name for name in files if name.endswith('.yml')])
    head = (
        '# Read by MMEngine (`famkd::...`) and MIM. Written by tools/dev/model_zoo.py\n'
    )
    files['model-index.yml'] = head + yaml.safe_dump(index)
    return files


def main() -> None:
    """Writes the files; see the module's docstring."""
    for name, content in model_zoo().items():
        (ROOT / name).write_text(content, encoding='utf-8')
        print(f'wrote {name}')


if __name__ == '__main__':
    main()
