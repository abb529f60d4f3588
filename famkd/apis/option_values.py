"""The values of ``KEY=VALUE`` on a command line."""

import argparse
import re
from typing import Any

# A list or a tuple that holds no other, between commas, brackets or the ends.
LIST = re.compile(r'(?<![^,\[(])(\[[^\[\]()]*\]|\([^\[\]()]*\))(?![^,\])])')
DICT = re.compile(r'(^|[\[(,])\s*(dict\(|\{)')


def parse_value(text: str) -> Any:
    """Reads a value: a number, ``True``, ``None``, a list, a tuple, a dict or text.

    MMEngine reads all but those with dicts, which are Python; of brackets that it does
    not understand, it may come to no end. It leaves out the spaces in lists and tuples.

    Args:
        text: The value, such as ``'[1,2]'`` or ``"[dict(type='EMAHook')]"``.

    Raises:
        ValueError: If brackets are open, or there is anything else in a dict.
    """
    from mmengine.config import DictAction

    from famkd.runtime.literal_config import parse_config

    if DICT.search(text):
        return parse_config(f'value = {text}')['value']
    text = text.strip('\'" ')
    if ',' not in text and text[:1] not in ('[', '('):
        return DictAction._parse_int_float_bool(text)
    rest = text.replace(' ', '')
    while (shorter := LIST.sub('-', rest)) != rest:
        rest = shorter
    if re.search(r'[\[\]()]', rest):
        raise ValueError('its brackets are no lists')
    return DictAction._parse_iterable(text)


class OptionAction(argparse.Action):
    """Collects ``KEY=VALUE ...`` in a dict: dotted key -> value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: list[str],
        option_string: str | None = None,
    ) -> None:
        options = dict(getattr(namespace, self.dest))
        for pair in values:
            key, is_pair, text = pair.partition('=')
            if not is_pair or not all(key.split('.')):
                parser.error(f'{option_string}: {pair!r} is not KEY=VALUE')
            try:
                options[key] = parse_value(text)
            except ValueError as error:
                parser.error(
                    f'{option_string}: {key}={text!r} cannot be read ({error}); lists '
                    'are [a,b], dicts "dict(type=\'EMAHook\',momentum=0.1)", with all '
                    'text in quotes'
                )
        setattr(namespace, self.dest, options)
