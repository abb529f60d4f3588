"""A NaN or an infinity ends in a message, not in the weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_gather_object, all_reduce, barrier
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from .unwrapped import optim_wrappers, unwrapped_model

ADVICE = 'try a lower learning rate, optim_wrapper.clip_grad or a smaller loss_weight'


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Stops the training, or skips the step, where a loss or gradient is not finite.

    It looks at all losses and gradients at once, between the backward pass and the
    step of the optimizer, and waits once for the device, where MMEngine would soon
    after, for the log. Several processes decide together. Mixed precision with a
    loss scaler is left to deal with gradients that overflow, as it always does: only
    the losses are looked at then.

    A model may have methods ``describe_loss(name) -> str`` and ``advise_loss(name) ->
    str``: what they say about the loss that is not finite is part of the message, the
    latter, where it is not empty, instead of the advice to learn more slowly.

    Args:
        action: ``'stop'`` raises an error that names the loss or the parameters, and
            leaves the state before the iteration in ``nonfinite_iter_{N}.pth``, N
            the iterations that are done. ``'skip'`` warns, drops the gradients,
            those accumulated so far too, and goes on. Both undo what the forward
            pass did to the running statistics of BN. Defaults to ``'stop'``.
        max_skips: Skipped iterations in a row after which ``'skip'`` stops, too.
            Defaults to 10.

    Raises:
        ValueError: If ``action`` is neither.
        FloatingPointError: In the training, where a value is not finite.
    """

    # Before what logs, saves or counts an iteration.
    priority = 'VERY_HIGH'

    def __init__(self, action: str = 'stop', max_skips: int = 10) -> None:
        if action not in ('stop', 'skip'):
            raise ValueError(f"nonfinite={action!r} must be 'stop' or 'skip'")
        self.action = action
        self.max_skips = max_skips
        self._skips = 0
        self._losses = None

    def before_train(self, runner: Runner) -> None:
        model = unwrapped_model(runner)
        wrappers = optim_wrappers(runner)
        self._model = model
        self._parameters = {}
        if not any(hasattr(wrapper, 'loss_scaler') for wrapper in wrappers):
            self._parameters = {
                name: p for name, p in model.named_parameters() if p.requires_grad
            }
        model.train()  # tells which layers stay in eval mode
        self._statistics = list(_running_statistics(model))
        self._saved = [statistic.clone() for statistic in self._statistics]
        model.register_forward_hook(self._keep_losses)
        for wrapper in wrappers:
            self._check_before_step(wrapper, runner)

    def _check_before_step(self, wrapper: OptimWrapper, runner: Runner) -> None:
        def check(*_: Any) -> None:
            self._check(runner)

        if not getattr(wrapper, 'clip_grad_kwargs', None):
            wrapper.optimizer.register_step_pre_hook(check)
            return
        clip = wrapper._clip_grad

        def check_and_clip() -> None:
            check()  # before one NaN is spread over all gradients
            clip()

        wrapper._clip_grad = check_and_clip

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        # There was no step: gradients are accumulated, or the loss scaler skipped it.
        if self._losses:
            self._check(runner)

    def _keep_losses(self, model: nn.Module, args: tuple, outputs: object) -> None:
        if model.training and isinstance(outputs, dict):
            self._losses = dict(_named_losses(outputs))

    @torch.no_grad()
    def _check(self, runner: Runner) -> None:
        losses, self._losses = self._losses or {}, None
        gradients = {
            name: p.grad for name, p in self._parameters.items() if p.grad is not None
        }
        values = [*losses.values(), *gradients.values()]
        if not values:  # of a further optimizer, whose parameters have no gradient
            return
        # A norm is not finite where a value is not; seldom, it overflows.
        norms = torch.stack(torch._foreach_norm(values))
        suspicious = (~norms.isfinite().all()).float()
        all_reduce(suspicious, op='max')
        problem, advice = self._describe(losses, gradients) if suspicious else ('', '')
        if not problem:
            _copy(self._statistics, self._saved)
            self._skips = 0
            return

        _copy(self._saved, self._statistics)
        # Without gradients the step of an optimizer changes nothing.
        runner.optim_wrapper.zero_grad()
        self._skips += 1
        message = f'iteration {runner.iter + 1}: {problem}'
        if self.action == 'skip' and self._skips <= self.max_skips:
            runner.logger.warning(f'{message}; skipped')
            return
        state = self._save(runner)
        barrier()  # The first process that ends takes the others along.
        raise FloatingPointError(
            f'{message}. {state}; {advice or ADVICE}, or skip such iterations: '
            'default_hooks.runtime.nonfinite=skip'
        )

    def _save(self, runner: Runner) -> str:
        """Saves the state before the iteration, and says where it is."""
        name = f'nonfinite_iter_{runner.iter}.pth'
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        # Not by save_resumable: it is not what --resume without a file goes on from.
        runner.call_hook('before_checkpoint')
        try:
            runner.save_checkpoint(
                runner.work_dir, name, meta=meta, backend_args=dict(backend='atomic')
            )
        except FloatingPointError as error:  # A step has spoiled it before.
            return str(error)
        return f'The state before it is in {Path(runner.work_dir, name)}'

    def _describe(
        self, losses: dict[str, Tensor], gradients: dict[str, Tensor]
    ) -> tuple[str, str]:
        """What is not finite, in which process, empty if nothing; and the advice."""
        text, advice = self._describe_losses(losses)
        found = all_gather_object((text, _describe_gradients(gradients), advice))
        *problems, advices = zip(*found, strict=True)
        advice = next(filter(None, advices), '')
        # Where a loss is not finite, so are the gradients.
        for texts in problems:
            if any(texts) and len(set(texts)) == 1:
                return texts[0], advice
            if any(texts):
                named = (f'process {i}: {text}' for i, text in enumerate(texts) if text)
                return '; '.join(named), advice
        return '', ''

    def _describe_losses(self, losses: dict[str, Tensor]) -> tuple[str, str]:
        """The losses that are not finite, and what the model advises."""
        bad = _not_finite(losses)
        if not bad:
            return '', ''
        text = f'{bad[0]} = {losses[bad[0]].mean().item()}'
        if description := self._ask('describe_loss', bad[0]):
            text += f' ({description})'
        if bad[1:]:
            text += f', then {", ".join(bad[1:])}'
        return text, self._ask('advise_loss', bad[0])

    def _ask(self, method: str, loss: str) -> str:
        """What the model says about a loss; '' if it does not have the method."""
        return getattr(self._model, method, lambda name: '')(loss)


def _describe_gradients(gradients: dict[str, Tensor]) -> str:
    # Those of the layers that the backward pass comes to first lie last.
    bad = _not_finite(gradients)[::-1]
    if not bad:
        return ''
    return (
        f'all losses are finite, but the gradients of {len(bad)} of {len(gradients)} '
        f'parameters are not: {", ".join(bad[:3])}{", ..." if bad[3:] else ""}'
    )


def _not_finite(values: dict[str, Tensor]) -> list[str]:
    return [name for name, value in values.items() if not value.isfinite().all()]


def _named_losses(outputs: dict) -> Iterator[tuple[str, Tensor]]:
    """The losses among the outputs of a model, as MMEngine tells them."""
    for name, value in outputs.items():
        if 'loss' not in name:
            continue
        if isinstance(value, Tensor):
            yield name, value.detach().float()
        else:
            for i, part in enumerate(value):
                yield f'{name}[{i}]', part.detach().float()


def _running_statistics(model: nn.Module) -> Iterator[Tensor]:
    """Those that a forward pass in training mode changes."""
    for module in model.modules():
        if isinstance(module, _NormBase) and module.training:
            if module.track_running_stats:
                yield from (module.running_mean, module.running_var)


def _copy(source: list[Tensor], target: list[Tensor]) -> None:
    if source:
        torch._foreach_copy_(target, source)
