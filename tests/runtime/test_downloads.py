"""Checkpoints from URLs; the downloads are copies of files of this machine."""

import argparse
import hashlib

import pytest
import torch

from famkd.runtime.downloads import read_url


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Where PyTorch keeps its downloads."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    return tmp_path / 'home/hub/checkpoints'


@pytest.fixture
def publish(tmp_path):
    """Function (name, value): URL of a checkpoint; {sha} in the name is its SHA-256."""

    def publish(name, value):
        path = tmp_path / 'new.pth'
        torch.save(value, path)
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        target = tmp_path / name.format(sha=sha[:8])
        target.parent.mkdir(exist_ok=True)
        return path.rename(target).as_uri()

    return publish


def test_a_download_is_kept(publish, tmp_path, cache):
    url = publish('net_20200131-{sha}.pth', 1)
    assert read_url(url) == 1
    for path in tmp_path.glob('net*'):
        path.unlink()
    assert read_url(url) == 1
    assert [path.name for path in cache.iterdir()] == [url.rpartition('/')[2]]


def test_the_sha_in_the_name_is_checked(publish, cache):
    url = publish('net-0123abcd.pth', 1)
    message = (
        r'net-0123abcd.pth, downloaded from file:.*begins with \w{8}, not with 0123'
    )
    with pytest.raises(ValueError, match=message):
        read_url(url)
    assert not list(cache.rglob('*.pth'))


def test_a_spoiled_download_is_replaced(publish, cache):
    url = publish('net-{sha}.pth', 1)
    cache.mkdir(parents=True)
    (cache / url.rpartition('/')[2]).write_bytes(b'of another day')
    with pytest.raises(ValueError, match='begins with'):
        read_url(url)
    assert read_url(url) == 1


@pytest.mark.parametrize('name', ['epoch_1.pth', 'net-20200131.pth'])
def test_files_of_one_name_are_told_apart(name, publish):
    first, second = publish(f'a/{name}', 1), publish(f'b/{name}', 2)
    assert [read_url(first), read_url(second), read_url(first)] == [1, 2, 1]


def test_a_cut_off_download_is_replaced(publish, tmp_path, cache):
    url = publish('epoch_1.pth', torch.ones(1000))
    path = tmp_path / 'epoch_1.pth'
    content = path.read_bytes()
    path.write_bytes(content[:2000])
    with pytest.raises(ValueError, match='is the file complete'):
        read_url(url)
    assert not list(cache.rglob('*.pth'))
    path.write_bytes(content)
    assert torch.equal(read_url(url), torch.ones(1000))


@pytest.mark.parametrize('name', ['epoch_1.pth', 'net-{sha}.pth'])
def test_a_download_that_is_refused_stays(name, publish, cache):
    url = publish(name, argparse.Namespace())
    with pytest.raises(ValueError, match='refused'):
        read_url(url)
    assert len(list(cache.rglob('*.pth'))) == 1
