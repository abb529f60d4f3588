"""Ends a forward pass when everything that is needed from it is recorded."""

from types import TracebackType

from mmrazor.models.distillers import ConfigurableDistiller
from mmrazor.models.task_modules.recorder import ModuleOutputsRecorder
from torch import nn

from famkd.models.distillers.records import needed_records


class EarlyStop:
    """Context in which a network runs only up to its last recorded module.

    It asks nothing about the network: a hook on every recorded module ends the
    forward pass, by an exception that the context swallows, as soon as every
    recorder has what the distiller needs.

    Args:
        distiller: Distiller whose recorders are attached to the network.
        network: The student or the teacher.
        from_student: Which of the two it is.
        for_stages: Whether what ``build_stages`` reads is enough. Defaults to False.

    Attributes:
        possible (bool): Whether the forward pass can be ended at all. False
            where a recorder is not on a module (but on a method, say) or where
            a delivery hands data from the teacher to the student: then it runs
            to its end.
    """

    def __init__(
        self,
        distiller: ConfigurableDistiller,
        network: nn.Module,
        from_student: bool,
        for_stages: bool = False,
    ) -> None:
        manager = (
            distiller.student_recorders if from_student else distiller.teacher_recorders
        )
        self._recorders = manager.recorders
        if hasattr(distiller, 'needed_records'):
            self._counts = distiller.needed_records(from_student, for_stages)
        else:  # a distiller of MMRazor
            self._counts = needed_records(distiller, from_student)
        self.possible = not distiller.deliveries.deliveries and all(
            isinstance(recorder, ModuleOutputsRecorder)
            for recorder in self._recorders.values()
        )
        modules = dict(network.named_modules()) if self.possible else {}
        self._modules = [modules[r.source] for r in self._recorders.values() if modules]
        self._handles = []

    def __enter__(self) -> None:
        self._handles = [
            module.register_forward_hook(self._stop_if_recorded)
            for module in self._modules
        ]

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        for handle in self._handles:
            handle.remove()
        return exc_type is _Recorded

    def _stop_if_recorded(self, *_) -> None:
        if all(
            len(self._recorders[name].data_buffer) >= count
            for name, count in self._counts.items()
        ):
            raise _Recorded


class _Recorded(Exception):
    """Everything is recorded."""
