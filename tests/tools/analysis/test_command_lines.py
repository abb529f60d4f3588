"""Options may stand before the positional arguments, as ``--help`` prints them."""

import argparse
from pathlib import Path

import pytest
from tool_fixtures import load_tool

TOOLS = [
    'activation_maps',
    'grad_cam',
    'plot_curves',
    'plot_filters',
    'plot_gamma',
    'show_detections',
    'show_segmentations',
]


@pytest.mark.parametrize('name', [*TOOLS, 'summarize', 'update_tables'])
def test_the_order_of_the_usage_line_is_understood(name):
    parser = load_tool(f'analysis_tools/{name}').build_parser()
    options, positionals = [], []
    for action in parser._actions:
        if not action.option_strings:
            positionals.append(action)
        elif not isinstance(action, argparse._HelpAction):
            count = 1 if action.nargs is None else action.nargs
            value = action.choices[0] if action.choices else '1'
            value = {'device': 'cpu', 'out': '1.png'}.get(action.dest, value)
            options.append([action.option_strings[0], *[value] * count])
    (positional,) = positionals
    required = (
        [['--network', 'A', '1']]
        if name in ('activation_maps', 'grad_cam') or name.startswith('show')
        else []
    )
    # Each option once directly before the positional argument.
    for option in options:
        words = [word for given in (*required, option) for word in given]
        args = parser.parse_args([*words, 'first'])
        value = getattr(args, positional.dest)
        assert value in ('first', ['first'], Path('first')), option


def test_a_picture_of_no_known_format(capsys):
    with pytest.raises(SystemExit):
        load_tool('analysis_tools/plot_curves').main(['work_dir', '--out', 'a.xyz'])
    assert '--out: a.xyz must end in .png, .svg, .pdf' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['activation_maps', 'grad_cam', 'show_detections'])
def test_a_device_that_is_not_there(name, capsys):
    parser = load_tool(f'analysis_tools/{name}').build_parser()
    words = ['a.jpg', '--network', 'A', 'a.pth']
    assert parser.parse_args(words).device == 'cpu'
    with pytest.raises(SystemExit):
        parser.parse_args([*words, '--device', 'cuda:99'])
    assert "--device: there is no device 'cuda:99' here: " in capsys.readouterr().err
