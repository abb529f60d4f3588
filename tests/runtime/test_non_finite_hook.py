"""What goes wrong at the third of six iterations."""

from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS

from famkd.runtime.non_finite_hook import NonFiniteHook

NAN, INF = float('nan'), float('inf')
LOSS = r'loss_size = nan \(of layer size\)'


class Fault(Hook):
    """Multiplies something by a factor at one iteration; keeps the weights before.

    Args:
        attach (Callable): Takes the model and a function that multiplies.
        factor (float): The factor.
    """

    def __init__(self, attach, factor, iterations=(2,)):
        self.attach, self.factor, self.iterations = attach, factor, iterations
        self.before, self.now = [], False

    def before_train(self, runner):
        self.attach(runner.model, lambda x: self.factor * x if self.now else x)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.now = runner.iter in self.iterations
        self.before.append(state_of(runner))


def state_of(runner):
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


def in_last_layer(model, multiply):
    model.size.register_forward_hook(lambda module, inputs, output: multiply(output))


def in_input(model, multiply):
    model.conv.register_forward_pre_hook(lambda module, inputs: multiply(inputs[0]))


def in_gradient(model, multiply):
    model.label.weight.register_hook(multiply)


def changed(first, second):
    """Names of what differs, but for the numbers of batches that BN counts."""
    return [
        name
        for name in first
        if 'num_batches' not in name and not torch.equal(first[name], second[name])
    ]


@pytest.mark.parametrize(
    ('attach', 'factor', 'message'),
    [
        (in_last_layer, NAN, LOSS),
        (in_input, INF, r'loss_label = nan, then loss_size'),
        (
            in_gradient,
            INF,
            'all losses are finite, but the gradients of 1 of 8 parameters are not: '
            'label.weight',
        ),
    ],
)
def test_stops_and_keeps_the_state_before(attach, factor, message, make_runner):
    fault = Fault(attach, factor)
    runner = make_runner(NonFiniteHook(), fault)
    with pytest.raises(FloatingPointError, match=f'iteration 3: {message}') as error:
        runner.train()
    path = f'{runner.work_dir}/nonfinite_iter_2.pth'
    assert f'The state before it is in {path}; try' in str(error.value)
    checkpoint = torch.load(path, weights_only=False)
    assert not changed(fault.before[2], checkpoint['state_dict'])
    assert checkpoint['meta']['iter'] == 2
    assert checkpoint['optimizer']['state']
    # It is for a look, not what --resume goes on from.
    assert not Path(runner.work_dir, 'last_checkpoint').exists()


def test_a_state_before_that_is_not_finite_is_not_kept(make_runner, tmp_path):
    class Spoil(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == 4:  # as an overflowing step does
                runner.model.size.weight.data.fill_(INF)

    with pytest.raises(FloatingPointError, match='iteration 5: loss_size = .*is not s'):
        make_runner(NonFiniteHook(), Spoil()).train()
    assert [path.name for path in tmp_path.glob('*.pth')] == ['epoch_1.pth']


def test_goes_on_from_the_state_before(make_runner):
    exact = dict(custom_hooks=[dict(type='ExactResumeHook')])
    runner = make_runner(NonFiniteHook(), Fault(in_gradient, NAN), **exact)
    with pytest.raises(FloatingPointError):
        runner.train()
    path = f'{runner.work_dir}/nonfinite_iter_2.pth'
    resumed = make_runner(NonFiniteHook(), resume=True, load_from=path, **exact)
    resumed.train()
    assert (resumed.epoch, resumed.iter) == (2, 6)


@pytest.mark.parametrize('attach', [in_last_layer, in_input, in_gradient])
def test_skips_that_iteration_only(attach, make_runner):
    fault = Fault(attach, NAN)
    runner = make_runner(NonFiniteHook(action='skip'), fault)
    runner.train()
    assert not changed(fault.before[2], fault.before[3])
    for i in (0, 1, 3, 4):
        assert changed(fault.before[i], fault.before[i + 1]), i
    assert all(v.isfinite().all() for v in state_of(runner).values())
    assert runner.iter == 6


def test_stops_where_every_iteration_would_be_skipped(make_runner):
    fault = Fault(in_last_layer, NAN, iterations=(1, 2, 3, 4, 5))
    hook = NonFiniteHook(action='skip', max_skips=3)
    with pytest.raises(FloatingPointError, match='iteration 5: loss_size'):
        make_runner(hook, fault).train()


def test_accumulated_gradients(make_runner):
    # Steps after iterations 2, 4 and 6: the third goes wrong, the fourth ends it.
    wrapper = dict(optimizer=dict(type='SGD', lr=0.01), accumulative_counts=2)
    fault = Fault(in_last_layer, NAN)
    runner = make_runner(NonFiniteHook('skip'), fault, optim_wrapper=wrapper)
    runner.train()
    assert not changed(fault.before[2], fault.before[3])
    assert changed(fault.before[3], fault.before[4])
    assert all(v.isfinite().all() for v in state_of(runner).values())


def test_bfloat16(make_runner):
    wrapper = dict(type='CPUAmpOptimWrapper', optimizer=dict(type='SGD', lr=0.01))
    fault = Fault(in_last_layer, NAN)
    runner = make_runner(NonFiniteHook(), fault, optim_wrapper=wrapper)
    with pytest.raises(FloatingPointError, match=LOSS):
        runner.train()


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(AmpOptimWrapper):
    """AmpOptimWrapper, which refuses to work without a GPU, on the CPU."""

    def __init__(self, **kwargs):
        OptimWrapper.__init__(self, **kwargs)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=1024.0)
        self._scale_update_param = self.cast_dtype = None


@pytest.fixture
def scaled():
    optimizer = dict(type='SGD', lr=0.01)
    return dict(optim_wrapper=dict(type='ScaledOptimWrapper', optimizer=optimizer))


def test_loss_scaler_deals_with_gradients(make_runner, scaled):
    fault = Fault(in_gradient, INF)
    runner = make_runner(NonFiniteHook(), fault, **scaled)
    runner.train()
    weights = [name for name in fault.before[2] if 'running' not in name]
    assert not set(changed(fault.before[2], fault.before[3])) & set(weights)
    assert runner.optim_wrapper.loss_scaler.get_scale() == 512
    assert runner.iter == 6


def test_loss_scaler_and_loss(make_runner, scaled):
    fault = Fault(in_last_layer, NAN)
    runner = make_runner(NonFiniteHook(), fault, **scaled)
    with pytest.raises(FloatingPointError, match=f'iteration 3: {LOSS}'):
        runner.train()
    assert not changed(fault.before[2], state_of(runner))


def test_large_is_not_infinite(make_runner):
    # The squares of these gradients overflow, the gradients do not.
    fault = Fault(in_gradient, 1e25)
    small = dict(optimizer=dict(type='SGD', lr=1e-26))
    runner = make_runner(NonFiniteHook(), fault, optim_wrapper=small)
    runner.train()
    assert changed(fault.before[2], fault.before[3])


def test_the_model_knows_better_what_to_do(make_runner):
    runner = make_runner(NonFiniteHook(), Fault(in_last_layer, NAN))
    runner.model.advise_loss = lambda name: f'{name} needs sleep'
    with pytest.raises(FloatingPointError) as error:
        runner.train()
    assert 'pth; loss_size needs sleep, or skip such iter' in str(error.value)
    assert 'learning rate' not in str(error.value)


def test_unknown_action():
    with pytest.raises(ValueError, match="nonfinite='warn' must be 'stop' or"):
        NonFiniteHook(action='warn')


def test_clipping_spreads_nothing_before_it_is_looked_at(make_runner):
    wrapper = dict(clip_grad=dict(max_norm=1.0))
    runner = make_runner(
        NonFiniteHook(), Fault(in_gradient, NAN), optim_wrapper=wrapper
    )
    with pytest.raises(FloatingPointError, match='1 of 8 parameters are not: label.w'):
        runner.train()
