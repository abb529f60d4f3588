import pytest
import torch


@pytest.fixture
def set_threads():
    """Sets the number of PyTorch's threads, for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture(params=[1, 3])
def threads(request, set_threads):
    set_threads(request.param)
