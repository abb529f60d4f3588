"""Two machines on one: network namespaces with a cable between them.

    python tests/tools/two_machines.py

measures how long one machine goes on after the other one was lost. It needs root and
iproute2 (``ip``); without them, :func:`two_machines` gives two torchruns side by side.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


class Machine:
    """One of two machines, on which a training runs with one process.

    Args:
        rank (int): 0 or 1.
        port (int): Where torchrun of machine 0 listens.
        namespace (str | None): Its network namespace, if there are any.
    """

    def __init__(self, rank, port, namespace=None):
        self.namespace = namespace
        self.prefix = ['ip', 'netns', 'exec', namespace] if namespace else []
        self.process = None
        self.environment = dict(
            NNODES='2',
            NODE_RANK=str(rank),
            MASTER_ADDR='10.77.0.1' if namespace else '127.0.0.1',
            PORT=str(port),
            GLOO_SOCKET_IFNAME=namespace or 'lo',
            PYTHON=sys.executable,
            PYTHONPATH=str(HERE),
            CUDA_VISIBLE_DEVICES='',
            OMP_NUM_THREADS='1',
        )

    def train(self, config, log, *options):
        """Start tools/dist_train.sh.

        Args:
            config (Path): Of the training.
            log (Path): Gets what it prints.
            *options (str): Of train.py.
        """
        command = [*self.prefix, ROOT / 'tools/dist_train.sh', config, '1', *options]
        with log.open('w') as output:
            self.process = subprocess.Popen(
                list(map(str, command)),
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def cut_the_power(self):
        """Kill torchrun and the training, which get no chance to say anything."""
        if self.process and self.process.poll() is None:
            pid = self.process.pid
            workers = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
            for each in [pid, *map(int, workers)]:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            self.process.wait()

    def pull_the_cable(self):
        """Cut the connection: nothing arrives any more, and nobody is told."""
        device = ['ip', '-n', self.namespace, 'link', 'set', self.namespace, 'down']
        subprocess.run(device, check=True)


@contextmanager
def two_machines():
    """Two machines, connected by a cable if this one lets us make such; a list."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    names = [f'fam{os.getpid()}{side}' for side in 'ab']
    machines = []
    try:
        connected = _connect(*names)
        for rank, name in enumerate(names):
            machines.append(Machine(rank, port, name if connected else None))
        yield machines
    finally:
        for machine in machines:
            machine.cut_the_power()
        for name in names if shutil.which('ip') else []:
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True)


def _connect(first, second):
    # Each end of the cable has the name of its namespace.
    commands = [f'netns add {first}', f'netns add {second}']
    commands.append(
        f'link add {first} netns {first} type veth peer name {second} netns {second}'
    )
    for i, name in enumerate([first, second], start=1):
        commands += [
            f'-n {name} addr add 10.77.0.{i}/24 dev {name}',
            f'-n {name} link set {name} up',
            f'-n {name} link set lo up',
        ]
    return shutil.which('ip') is not None and all(
        subprocess.run(['ip', *command.split()], capture_output=True).returncode == 0
        for command in commands
    )


CONFIG = f"""
_base_ = {str(ROOT / 'configs/demo/resnet8_digits.py')!r}
train_dataloader = dict(batch_size=10, dataset=dict(num_per_class=2))
val_dataloader = dict(dataset=dict(num_per_class=3))
default_hooks = dict(checkpoint=dict(interval=1))
"""


def wait_for(path, seconds=300):
    """Wait until there is such a file."""
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f'no {path} after {seconds} s')
        time.sleep(0.05)


def measure():
    """Lose a machine by a kill and by a pulled cable; print what the others do."""
    for loss in ('machine 1 without power', 'cable pulled, timeout 20 s'):
        with tempfile.TemporaryDirectory() as name, two_machines() as machines:
            folder = Path(name)
            config = folder / 'config.py'
            config.write_text(CONFIG)
            options = ['--work-dir', folder / 'run', '--cfg-options']
            options += ['train_cfg.max_epochs=5000', 'env_cfg.dist_cfg.timeout=20']
            for rank, machine in enumerate(machines):
                machine.train(config, folder / f'{rank}.txt', *options)
            wait_for(folder / 'run/epoch_2.pth')
            start = time.monotonic()
            if 'power' in loss:
                machines[1].cut_the_power()
            else:
                machines[1].pull_the_cable()
            for rank, machine in enumerate(machines):
                code = machine.process.wait(timeout=120)
                seconds = time.monotonic() - start
                print(f'{loss}: machine {rank} ended after {seconds:.1f} s ({code})')
                for line in (folder / f'{rank}.txt').read_text().splitlines():
                    if line.startswith('Process '):
                        print(f'    {line}')


if __name__ == '__main__':
    measure()
