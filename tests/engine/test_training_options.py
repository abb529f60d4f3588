"""MMEngine's options of a training, with a distillation."""

import copy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import convert_sync_batchnorm


class Weights(Hook):
    """Keeps a weight of the student after every iteration."""

    def before_train(self, runner):
        weight = runner.model.student.head.fc.weight
        self.values = [weight.detach().clone()]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.values.append(runner.model.student.head.fc.weight.detach().clone())


@pytest.fixture
def train(make_runner):
    """Function (**changes): the runner after a training, and :class:`Weights`."""

    def train(**changes):
        weights = Weights()
        runner = make_runner(weights, **changes)
        runner.train()
        losses = runner.message_hub.get_scalar('train/loss').data[0]
        assert len(losses) == 6 and all(losses > 0)
        return runner, weights.values

    return train


def test_bfloat16_on_the_cpu(train):
    runner, _ = train(optim_wrapper=dict(type='CPUAmpOptimWrapper'))
    assert all(p.dtype == torch.float32 for p in runner.model.parameters())
    assert all(p.isfinite().all() for p in runner.model.parameters())


def test_accumulated_gradients(train):
    _, weights = train(optim_wrapper=dict(accumulative_counts=2))
    moved = [not torch.equal(*pair) for pair in zip(weights, weights[1:], strict=False)]
    assert moved == [False, True] * 3


def test_moving_average(train, tmp_path):
    runner, _ = train(custom_hooks=[dict(type='EMAHook', momentum=0.1)])
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)
    average, last = saved['state_dict'], saved['ema_state_dict']
    assert not [name for name in (*average, *last) if 'teacher' in name]
    fc = 'architecture.head.fc.weight'
    assert torch.equal(last[f'module.{fc}'], runner.model.state_dict()[fc])
    assert not torch.equal(average[fc], last[f'module.{fc}'])


def test_compiled_training_step(train):
    # One stage, and no code generated: tracing the networks takes long enough.
    stages = ['backbone.layer2']
    model = dict(distiller=dict(student_stages=stages, teacher_stages=stages))
    plain, _ = train(model=model)
    compiled, _ = train(model=model, compile=dict(backend='eager'))
    losses, expected = (
        runner.message_hub.get_scalar('train/loss').data[0]
        for runner in (compiled, plain)
    )
    assert losses == pytest.approx(expected, rel=1e-5)


def test_converted_to_synchronized_bn(distillation, build, batch):
    # One process: as long as there are no others, it computes what BN does.
    model = build(distillation()).train()
    converted = convert_sync_batchnorm(copy.deepcopy(model), 'torch')
    converted.train()  # as the runner does; the new modules of the teacher, too
    assert any(isinstance(m, torch.nn.SyncBatchNorm) for m in converted.modules())
    expected = model(*batch, mode='loss')
    losses = converted(*batch, mode='loss')
    assert losses.keys() == expected.keys()
    for name, value in losses.items():
        torch.testing.assert_close(value, expected[name])
