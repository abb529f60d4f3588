"""Freed memory is kept: in a process of its own, since it cannot be undone."""

import os
import subprocess
import sys

FAULTS = """
import resource
import torch
from famkd.apis.allocator import keep_freed_memory

print(keep_freed_memory())

def step():
    return sum(torch.ones(2**20).mul_(2)[0] for _ in range(4))  # 4 MB each

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(**environment):
    run = subprocess.run(
        [sys.executable, '-c', FAULTS],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    done, faults = run.stdout.split()
    return done, int(faults)


def test_no_page_is_asked_for_twice_unless_the_environment_says_so():
    done, faults = page_faults()
    assert done == 'True' and faults < 5 * 1024  # a block or two may be new
    done, faults = page_faults(MALLOC_MMAP_THRESHOLD_='131072')
    assert done == 'False' and faults > 20 * 1024
