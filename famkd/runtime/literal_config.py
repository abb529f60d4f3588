"""Configs read as what they mostly are, a list of values, not as programs."""

import ast
from typing import Any


def parse_config(text: str) -> dict:
    """Reads the text of a config without running it.

    It understands what MMEngine writes into a checkpoint or work folder: assignments of
    plain values, lists, tuples, dicts, and ``dict(key=value)``.

    Args:
        text: The text of the config.

    Returns:
        dict: Name -> value.

    Raises:
        ValueError: If there is anything else in it: names the line.
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f'the config is no list of values: {error}') from None
    values = {}
    for statement in statements:
        match statement:
            case ast.Assign([ast.Name(name)], value):
                values[name] = _value(value)
            case _:
                raise _not_plain(statement)
    return values


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(ast.Name('dict'), [], keywords):
            if all(keyword.arg for keyword in keywords):
                return {keyword.arg: _value(keyword.value) for keyword in keywords}
        case ast.Call(ast.Name('dict'), [ast.Dict() as argument], []):
            return _value(argument)
        case ast.Dict(keys, values) if all(keys):
            pairs = zip(keys, values, strict=True)
            return {_value(key): _value(value) for key, value in pairs}
        case ast.List(elements):
            return [_value(element) for element in elements]
        case ast.Tuple(elements):
            return tuple(_value(element) for element in elements)
    try:
        return ast.literal_eval(node)
    except (TypeError, ValueError):
        raise _not_plain(node) from None


def _not_plain(node: ast.stmt | ast.expr) -> ValueError:
    return ValueError(
        f'line {node.lineno} of the config is no plain value: {ast.unparse(node)[:60]}'
    )
