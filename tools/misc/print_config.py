"""Print a config as it is with all that it inherits.

    python tools/misc/print_config.py CONFIG [--cfg-options KEY=VALUE ...]

CONFIG is a file, or PACKAGE::FILE for one that an installed package ships, as in
famkd::famkd/cifar100/famkd_resnet56_resnet20_1xb64_cifar100.py.
"""

import argparse

from famkd.apis.cli import add_cfg_options_argument, find_config, merge_cfg_options


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Print a config as it is with all that it inherits.'
    )
    parser.add_argument('config', metavar='CONFIG', help='file, or PACKAGE::FILE')
    add_cfg_options_argument(parser)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    from mmengine.config import Config

    parser = build_parser()
    args = parser.parse_args(argv)
    cfg = Config.fromfile(find_config(parser, args.config))
    merge_cfg_options(parser, cfg, args.cfg_options)
    print(cfg.pretty_text)


if __name__ == '__main__':
    main()
