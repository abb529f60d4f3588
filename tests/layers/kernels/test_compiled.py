"""Compiling the C++ kernels: cache, races, and no compiler."""

import math
import subprocess
import sys
import warnings

import pytest
import torch

from famkd.layers import FrequencyAttention
from famkd.layers.kernels import attention, compiled, reference, window_attention

USE = """
import torch
from famkd.layers.kernels import attention
x = torch.ones(1, 1, 2, 2)
print(attention.forward(x, x, x, torch.zeros(1, 3, 3)).sum().item())
"""


def forget():
    compiled.library.cache_clear()
    compiled.works.cache_clear()
    attention._find_kernel.cache_clear()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache, as seen by a process that has not used the kernels yet."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    forget()
    yield tmp_path / 'famkd'
    forget()


def inputs():
    return [torch.randn(2, 4, 3, 3) for _ in range(3)] + [torch.randn(4, 3, 3)]


def test_compiled_once(cache, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        window_attention(*inputs())
    (library,) = cache.iterdir()
    assert library.suffix == '.so'
    compiled.library.cache_clear()
    made = library.stat().st_mtime_ns
    window_attention(*inputs())
    assert list(cache.iterdir()) == [library]
    assert library.stat().st_mtime_ns == made
    compiled.library.cache_clear()
    monkeypatch.setattr(compiled, 'FLAGS', compiled.FLAGS + ' -DOTHER')
    window_attention(*inputs())
    assert len(list(cache.iterdir())) == 2


def test_import_compiles_nothing(cache):
    subprocess.run(
        [sys.executable, '-c', 'import famkd.layers.kernels'], check=True, timeout=60
    )
    assert not cache.exists()


def test_two_processes_at_once(cache):
    processes = [
        subprocess.Popen([sys.executable, '-c', USE], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    # each of the 4 positions: 4 neighbours of weight e, and 5 outside of weight 1
    expected = 4 * 4 * math.e / (4 * math.e + 5)
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert float(output) == pytest.approx(expected)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    'compiler, reason',
    [
        ('no-such-compiler', 'no-such-compiler'),
        (f'{sys.executable} -c raise(SystemExit("broken"))', 'broken'),
        ('c++ "', 'quotation'),
    ],
)
def test_falls_back_without_compiler(cache, monkeypatch, compiler, reason):
    monkeypatch.setenv('CXX', compiler)
    tensors = inputs()
    with pytest.warns(UserWarning, match='fall back to slow forms') as caught:
        out = window_attention(*tensors)
        window_attention(*tensors)
    assert len(caught) == 1 and reason in str(caught[0].message)
    assert torch.equal(out, reference.window_attention(*tensors))


def test_one_warning_of_both_layers(cache, monkeypatch):
    layer = FrequencyAttention(2, 3, (4, 5))
    x = torch.randn(2, 2, 4, 5)
    with monkeypatch.context() as context:
        context.setenv('CXX', 'no-such-compiler')
        with pytest.warns(UserWarning, match='no-such-compiler') as caught:
            out = layer(x)
            window_attention(*inputs())
            layer(x)
    assert len(caught) == 1
    forget()
    torch.testing.assert_close(layer(x), out)


def test_what_is_compiled_needs_no_compiler(cache, monkeypatch):
    tensors = inputs()
    out = window_attention(*tensors)
    forget()
    monkeypatch.setenv('CXX', 'no-such-compiler')
    assert torch.equal(window_attention(*tensors), out)
    assert compiled.works()


def test_damaged_library_is_compiled_again(cache, monkeypatch, tmp_path):
    assert compiled.works()
    (library,) = cache.iterdir()
    damaged = tmp_path / 'other/famkd' / library.name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b'')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'other'))
    forget()
    assert compiled.works()
    assert damaged.stat().st_size > 0


def test_falls_back_without_cache(cache):
    cache.parent.joinpath('famkd').write_text('a file, not a folder')
    with pytest.warns(UserWarning, match='XDG_CACHE_HOME'):
        window_attention(*inputs())
