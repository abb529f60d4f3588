"""A teacher's checkpoint from a URL, served by this machine."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from famkd.models.algorithms.teacher_weights import load_teacher


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def url(tmp_path, monkeypatch):
    """Address of the folder tmp_path."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def test_checkpoint_from_a_url(url, tmp_path, build, classifier):
    teacher = build(classifier(12))
    weights = {k: v + (v.is_floating_point()) for k, v in teacher.state_dict().items()}
    torch.save({'state_dict': weights}, tmp_path / 'teacher.pth')
    load_teacher(teacher, f'{url}/teacher.pth')
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_url_that_leads_nowhere(url, build, classifier):
    with pytest.raises(ValueError, match='no.pth. cannot be loaded: HTTPError.*404'):
        load_teacher(build(classifier(12)), f'{url}/no.pth')
