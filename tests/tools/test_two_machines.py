"""A training on two machines, of which one is lost."""

from two_machines import two_machines


def test_the_other_machine_stops_and_says_how_to_go_on(tiny_configs, tmp_path):
    config = tmp_path / 'failing.py'
    config.write_text(
        f'_base_ = {str(tiny_configs["student"])!r}\n'
        'custom_imports = dict(imports=["famkd.models", "famkd.engine", '
        '"famkd.datasets", "fail_once"])\n'
        'custom_hooks = [dict(type="FailOnce", with_agent=True)]\n'
        'train_cfg = dict(max_epochs=4)\n'
        'default_hooks = dict(checkpoint=dict(interval=1))\n'
    )
    folder, logs = tmp_path / 'run', [tmp_path / '0.txt', tmp_path / '1.txt']
    with two_machines() as machines:
        for machine, log in zip(machines, logs, strict=True):
            machine.train(config, log, '--work-dir', folder)
        first, _ = [machine.process.wait(timeout=600) for machine in machines]
    log = logs[0].read_text()
    assert first == 1, log[-3000:]
    assert (folder / 'failed').exists()
    (message,) = (line for line in log.splitlines() if 'Process 0 of 2' in line)
    assert 'another one does not answer: ' in message
    # That it then does is tested in test_dist_train.py.
    assert message.endswith(
        'start the same command again on all machines, with --resume.'
    )
    assert (folder / 'last_checkpoint').read_text().endswith('epoch_2.pth')
