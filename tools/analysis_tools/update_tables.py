"""Write the tables of a Markdown file anew, from the work dirs that it names itself.

    python tools/analysis_tools/update_tables.py docs/results.md

A table stands between two comments, the first of which is the command that prints it,
one of the tools next to this one:

    <!-- summarize.py work_dirs/*cifar100* --out docs/images/cifar100.png -->
    <!-- end -->

Work dirs are looked for from the current folder. What prints nothing here, since its
work dirs are elsewhere or it draws a picture only, stays as it is, with a note.
"""

import argparse
import re
import shlex
import subprocess
import sys
from glob import glob
from pathlib import Path

TOOLS = Path(__file__).parent
BLOCK = re.compile(r'(<!-- (\w+\.py) (.*?) -->\n).*?(<!-- end -->)', re.DOTALL)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Write the tables of a Markdown file anew.'
    )
    parser.add_argument('file', type=Path, metavar='FILE')
    return parser


def update(text: str) -> str:
    """A Markdown text with its tables as their commands print them now."""
    return BLOCK.sub(_update_block, text)


def _update_block(block: re.Match) -> str:
    top, tool, arguments, end = block.groups()
    if not (TOOLS / tool).is_file():
        sys.exit(f'error: {top.strip()}: there is no {tool} in {TOOLS}')
    paths = []
    for argument in shlex.split(arguments):
        paths += sorted(glob(argument)) if '*' in argument else [argument]
    done = subprocess.run(
        [sys.executable, TOOLS / tool, *paths], capture_output=True, text=True
    )
    sys.stderr.write(done.stderr)
    lines = [x for x in done.stdout.splitlines() if not x.startswith('wrote ')]
    if done.returncode != 0 or not lines:
        print(f'note: left as it is: {top.strip()}', file=sys.stderr)
        return block[0]
    return '\n'.join([top, *lines, '', end])


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    file = build_parser().parse_args(argv).file
    if not file.is_file():
        sys.exit(f'error: there is no file {file}')
    old = file.read_text(encoding='utf-8')
    if not BLOCK.search(old):
        sys.exit(f'error: {file}: no <!-- TOOL.py WORK_DIR... --> with an <!-- end -->')
    new = update(old)
    file.write_text(new, encoding='utf-8')
    print(f'{file}: {"changed" if new != old else "as it was"}')


if __name__ == '__main__':
    main()
