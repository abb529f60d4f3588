import pytest


@pytest.mark.parametrize('connector', [None, dict(type='ConvHead')])
def test_every_stage_has_a_loss_that_is_trained(connector, distillation, build, batch):
    config = distillation()
    config['distiller'] = dict(
        type='FourierKDDistiller',
        stages=['backbone.layer1', 'backbone.layer3'],
        connector=connector,
        stage_loss=dict(type='FourierKDLoss', loss_weight=7.0),
    )
    if connector is None:
        config['teacher'] = config['architecture']
    model = build(config).train()
    losses = model(*batch, mode='loss')
    names = [name for name in losses if name.startswith('distill.')]
    assert names == ['distill.loss_stage1', 'distill.loss_stage2']
    sum(losses[name] for name in names).backward()
    for name, parameter in model.distiller.named_parameters():
        assert parameter.grad is not None, name


def test_channels_that_differ_are_named_with_their_stage(distillation, build):
    config = distillation()
    config['distiller'] = dict(
        type='FourierKDDistiller',
        stages=['backbone.layer1'],
        stage_loss=dict(type='FourierKDLoss'),
    )
    with pytest.raises(
        ValueError, match=r"^student_stages: 'backbone.layer1', .* put a connector"
    ):
        build(config)
