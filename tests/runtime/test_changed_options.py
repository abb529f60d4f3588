import pytest

RUNTIME = dict(runtime=dict(type='RuntimeHook'))
SCHEDULE = dict(type='CosineAnnealingLR', T_max=4)


@pytest.fixture
def resume(make_runner, capsys):
    """Function (**changes): what is said where a training goes on with them."""

    def resume(**changes):
        first = dict(default_hooks=RUNTIME, param_scheduler=[dict(SCHEDULE)])
        make_runner(**first, train_cfg=dict(max_epochs=1)).train()
        capsys.readouterr()
        make_runner(**{**first, 'resume': True, **changes}).train()
        return ''.join(capsys.readouterr())

    return resume


def test_what_has_changed_is_reported(resume):
    text = resume(
        **{'optim_wrapper.optimizer.lr': 0.2, 'train_dataloader.batch_size': 3},
        param_scheduler=[dict(SCHEDULE, T_max=8)],
    )
    assert (
        'resume: the config has changed: optim_wrapper.optimizer.lr is 0.2, was 0.1; '
        'param_scheduler.0.T_max is 8, was 4; train_cfg.max_epochs is 2, was 1; '
        'train_dataloader.batch_size is 3, was 4. The optimizer' in text
    )


def test_nothing_has_changed(resume):
    assert 'config has changed' not in resume(**{'train_cfg.max_epochs': 1})
