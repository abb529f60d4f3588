"""A trained student as a file that needs neither famkd nor OpenMMLab."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from famkd.apis.classifier import class_probabilities
from famkd.apis.testing import inner_test_dataset
from famkd.names import type_name

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.model import BaseModel

MAX_DIFFERENCE = 1e-3  # between probabilities, from the network's


class PixelsToProbabilities(nn.Module):
    r"""Probabilities of the classes, from pixels: normalisation, network, softmax.

    .. math:: p = \mathrm{softmax}(f((x - \mu) / \sigma))

    The sigmoid takes the place of the softmax where classes do not exclude each other,
    see :func:`famkd.apis.classifier.class_probabilities`.

    Args:
        network: A classifier of mmpretrain or a segmentor of mmseg.
        config: Its config, with the test pipeline.

    Raises:
        ValueError: If the network is neither, or the config has no test pipeline.
    """

    def __init__(self, network: 'BaseModel', config: 'Config') -> None:
        super().__init__()
        if not (hasattr(network, 'head') or hasattr(network, 'decode_head')):
            raise ValueError(
                f'a {type(network).__name__} is neither a classifier nor a segmentor: '
                'write its weights (OUT.safetensors); boxes come from mmdet, or from '
                'what MMDeploy exports'
            )
        self.network = network.eval()
        preprocessor = network.data_preprocessor
        first = inner_test_dataset(config).pipeline[0]
        # Files are read as BGR; data sets without files, such as CIFAR, give RGB.
        loads_bgr = type_name(first).endswith('LoadImageFromFile')
        # the attribute of mmpretrain's preprocessor, and of MMEngine's and mmseg's
        flips = any(
            getattr(preprocessor, k, 0) for k in ('to_rgb', '_channel_conversion')
        )
        self.takes_bgr = loads_bgr != flips
        # There are none where a config gives none.
        mean = getattr(preprocessor, 'mean', torch.zeros(3, 1, 1))
        std = getattr(preprocessor, 'std', torch.ones(3, 1, 1))
        self.register_buffer('mean', mean)
        self.register_buffer('std', std)

    def forward(self, pixels: Tensor) -> Tensor:
        """Computes the probabilities.

        Args:
            pixels: Images (N, 3, H, W) in RGB, from 0 to 255, as the test pipeline
                resizes and crops them.

        Returns:
            Tensor: (N, classes); of a segmentor (N, classes, H, W).
        """
        images = pixels.flip(1) if self.takes_bgr else pixels
        scores = self.network((images - self.mean) / self.std, mode='tensor')
        if scores.ndim == 4:
            scores = F.interpolate(
                scores,
                size=pixels.shape[2:],
                mode='bilinear',
                align_corners=self.network.decode_head.align_corners,
            )
        return class_probabilities(self.network, scores)


def export_program(
    model: PixelsToProbabilities, size: tuple[int, int]
) -> torch.export.ExportedProgram:
    """The network as a graph of PyTorch, for any number of images of one size.

    Args:
        model: The network.
        size: Height and width of the images.

    Returns:
        torch.export.ExportedProgram: Its input is ``pixels``.
    """
    batch = torch.export.Dim('batch', min=1)
    return torch.export.export(
        model, (torch.rand(2, 3, *size) * 255,), dynamic_shapes={'pixels': {0: batch}}
    )


def write_program(
    model: PixelsToProbabilities, size: tuple[int, int], meta: dict, file: Path
) -> None:
    """Writes a program for ``torch.export.load``, and checks it.

    Args:
        model: The network.
        size: Height and width of the images.
        meta: What describes the network, kept in ``extra_files['famkd.json']``.
        file: File to write.

    Raises:
        ValueError: If the file gives other probabilities than the network.
    """
    program = export_program(model, size)
    torch.export.save(program, file, extra_files={'famkd.json': json.dumps(meta)})
    loaded = torch.export.load(file).module()
    check(model, lambda pixels: loaded(pixels), size)


def write_onnx(
    model: PixelsToProbabilities, size: tuple[int, int], meta: dict, file: Path
) -> None:
    """Writes an ONNX file with a batch of any size, and checks it with ONNX Runtime.

    Args:
        model: The network.
        size: Height and width of the images.
        meta: What describes the network, kept in the file's metadata.
        file: File to write.

    Raises:
        ImportError: If onnx, onnxscript or onnxruntime is missing.
        ValueError: If the file gives other probabilities than the network.
    """
    import onnx
    import onnxruntime

    program = torch.onnx.export(
        export_program(model, size),
        input_names=['pixels'],
        output_names=['probabilities'],
        dynamo=True,
        verbose=False,
    )
    proto = program.model_proto
    onnx.helper.set_model_props(proto, {k: json.dumps(v) for k, v in meta.items()})
    onnx.save(proto, file)
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    check(
        model,
        lambda pixels: torch.from_numpy(
            session.run(None, {'pixels': pixels.numpy()})[0]
        ),
        size,
    )


def write_weights(model: nn.Module, meta: dict, file: Path) -> None:
    """Writes the weights alone, under the network's own names.

    Args:
        model: The network, as mmpretrain, mmdet or mmseg build it.
        meta: What describes the network, kept in the file's metadata.
        file: File to write, for ``safetensors.torch.load_file``.
    """
    from safetensors.torch import save_file

    # safetensors refuses weights that modules share: each gets its own.
    weights = {
        k: v.clone(memory_format=torch.contiguous_format)
        for k, v in model.state_dict().items()
    }
    save_file(weights, file, metadata={k: json.dumps(v) for k, v in meta.items()})


@torch.no_grad()
def check(
    model: nn.Module, exported: Callable[[Tensor], Tensor], size: tuple[int, int]
) -> None:
    """Compares what was written with the network, on one image and on three.

    Args:
        model: The network.
        exported: Function from the pixels to the probabilities.
        size: Height and width of the images.

    Raises:
        ValueError: If they differ by more than 0.001, or are not finite.
    """
    generator = torch.Generator().manual_seed(0)
    for batch in (1, 3):
        pixels = torch.rand(batch, 3, *size, generator=generator) * 255
        difference = (model(pixels) - exported(pixels)).abs().max().item()
        if not difference <= MAX_DIFFERENCE:
            raise ValueError(
                f'the exported network differs from the trained one: probabilities by '
                f'{difference:.2g} on a batch of {batch}'
            )
