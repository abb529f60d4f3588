"""Plot the learned filters of frequency attention over the centred frequency.

    python tools/analysis_tools/plot_filters.py CKPT [--config CONFIG] [--out FILE]

For every stage, the magnitude before and after the high-pass mask, averaged over all
pairs of channels. The filters are those of the checkpoint; the kind of the mask is that
of the config inside it, or of CONFIG.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import read_checkpoint
from famkd.apis.plots import WIDTH, add_out_argument, new_figure, out_files, save
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mmengine.config import Config
    from torch import Tensor

    from famkd.layers import DynamicFrequencyAttention, FrequencyAttention

    Layer = FrequencyAttention | DynamicFrequencyAttention


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Plot the learned filters of frequency attention.'
    )
    parser.add_argument('checkpoint', metavar='CKPT', help='distillation checkpoint')
    parser.add_argument('--config', help='its config, if it is not in the checkpoint')
    add_out_argument(parser, 'filters.png', 'beside CKPT')
    add_trust_argument(parser)
    return parser


def read_filters(weights: dict, config: 'Config') -> 'list[Layer]':
    """Rebuilds the frequency attention of every stage.

    Args:
        weights: State dict of a checkpoint.
        config: The config that it was trained with: the sizes of the maps follow from
            the networks in it.

    Returns:
        list: The FrequencyAttention, or DynamicFrequencyAttention, of every stage,
        shallow to deep.

    Raises:
        ValueError: If there is none, or the checkpoint has others than the config.
    """
    from mmengine.registry import DefaultScope

    from famkd.layers import DynamicFrequencyAttention, FrequencyAttention
    from famkd.models.algorithms.networks import build_network

    if 'teacher' not in config.model:
        raise ValueError('the config has no frequency attention (FAMHead)')
    # The teacher's weights do not matter.
    options = dict(teacher_ckpt=None, allow_random_teacher=True)
    with DefaultScope.overwrite_default_scope(config.get('default_scope')):
        modules = build_network({**config.model, **options}).named_modules()
    layers = {
        f'{name}.filter': module
        for name, module in modules
        if isinstance(module, (FrequencyAttention, DynamicFrequencyAttention))
        and module.global_branch
    }
    for key, layer in layers.items():
        if key not in weights or weights[key].shape != layer.filter.shape:
            found = tuple(weights[key].shape) if key in weights else 'missing'
            raise ValueError(
                f'{key} is {found}, but {tuple(layer.filter.shape)} in the config: '
                'give the config that it was trained with'
            )
        layer.filter.data = weights[key].float()
        for name in ('reduce', 'expand'):  # of a filter of a low rank
            if hasattr(layer, name):
                matrix = weights[f'{key.removesuffix("filter")}{name}']
                getattr(layer, name).data = matrix.float()
    if not layers:
        raise ValueError('the config has no frequency attention (FAMHead)')
    return list(layers.values())


def magnitudes(layer: 'Layer') -> 'tuple[Tensor, Tensor]':
    """Mean magnitude of a filter over all (pairs of) channels, centred.

    Returns:
        tuple: Before and after the mask, each a tensor of shape (H, W); bins of which
        nothing is learned are NaN before.
    """
    from torch.fft import fftshift

    spectra = layer.unmasked_spectrum(), layer.full_spectrum()
    return tuple(
        fftshift(spectrum.abs().flatten(0, -3).mean(0)) for spectrum in spectra
    )


def plot_filters(layers: 'list[Layer]') -> 'Figure':
    """Draws the picture: stages in columns, before and after the mask in rows.

    Args:
        layers: The frequency attention of every stage; a stage of 1x1, which has one
            frequency only, is left out.

    Returns:
        Figure: The picture.
    """
    stages = {i: magnitudes(layer) for i, layer in enumerate(layers, 1)}
    stages = {i: pair for i, pair in stages.items() if pair[0].shape != (1, 1)}
    columns = max(len(stages), 2)
    figure, axes = new_figure(2, columns, 1 + 2 * WIDTH / columns)
    for (i, pair), column in zip(stages.items(), axes.T, strict=False):
        (height, width), (cy, cx) = pair[0].shape, (x // 2 for x in pair[0].shape)
        top = max(image[~image.isnan()].max() for image in pair)
        for ax, image in zip(column, pair, strict=True):
            picture = ax.imshow(
                image.numpy(),
                origin='lower',
                extent=(-cx - 0.5, width - cx - 0.5, -cy - 0.5, height - cy - 0.5),
                vmin=0,
                vmax=top,
            )
            ax.grid(False)
            ax.locator_params(integer=True)
        column[0].set_title(f'stage {i}\n{height}x{width}')
        figure.colorbar(
            picture,
            ax=column,
            location='bottom',
            label='mean |K|',
            ticks=[0, top],
            format='%.2g',
        )
    for ax, when in zip(axes[:, 0], ('before', 'after'), strict=True):
        ax.set_ylabel(when)
    figure.supxlabel('horizontal (cycles per map)', fontsize='medium')
    figure.supylabel('vertical (cycles per map)', fontsize='medium')
    for ax in axes[:, len(stages) :].flat:
        ax.axis('off')
    figure.suptitle(
        'Learned filters, before and after the high-pass (white: removed by it)'
    )
    return figure


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    args = build_parser().parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    try:
        weights, config, _ = read_checkpoint(args.checkpoint, args.config)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    try:
        layers = read_filters(weights, config)
    except ValueError as error:
        sys.exit(f'error: {args.checkpoint}: {error}')
    for i, layer in enumerate(layers, 1):
        before, after = magnitudes(layer)
        print(
            f'stage {i}: {layer.in_channels} -> {layer.out_channels} channels, '
            f'{"x".join(map(str, before.shape))}, mean |K| {before.nanmean():.3g}; the '
            f'mask removes {(after < 1e-6 * after.max()).sum()} of {after.numel()} bins'
        )
    save(plot_filters(layers), out_files(args, [args.checkpoint]))


if __name__ == '__main__':
    main()
