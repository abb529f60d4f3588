"""Where networks look: Grad-CAM of several networks on the same images, side by side.

    python tools/analysis_tools/grad_cam.py IMAGE... \
        --network teacher TEACHER.pth --network student STUDENT.pth \
        --network FAM-KD DISTILLED.pth [--out grad_cam.png]

As in Fig. 4 of FAM-KD. All heat maps of an image are for one class: the one that the
first network predicts, unless it is given. Of a distillation checkpoint the student is
shown. The images go through the test pipeline of each network's config. Of a vision
transformer, whose blocks give tokens, the tokens of the patches are the map.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import add_network_arguments, network_files
from famkd.apis.classifier import METHODS, Classifier
from famkd.apis.plots import (
    WIDTH,
    add_out_argument,
    hide_axes,
    new_figure,
    out_files,
    save,
)
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Grad-CAM of several networks on the same images, side by side.'
    )
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    add_network_arguments(parser)
    parser.add_argument(
        '--layer',
        help='module whose output is weighed, such as backbone.layer2; default: the '
        'last one that gives a map',
    )
    parser.add_argument(
        '--class',
        type=int,
        dest='label',
        metavar='INDEX',
        help='class of the heat maps; default: what the first network predicts',
    )
    parser.add_argument(
        '--method',
        choices=sorted(METHODS),
        default='gradcam',
        help='how the maps are weighed; default: gradcam',
    )
    add_out_argument(parser, 'grad_cam.png', 'beside the last network')
    add_trust_argument(parser)
    return parser


def plot_grad_cam(
    images: list[str], networks: dict[str, Classifier], label: int | None = None
) -> 'Figure':
    """Draws the picture: one row for every image, one column for every network.

    Args:
        images: Image files.
        networks: Title -> network.
        label: Class of the heat maps; what the first network predicts if None.

    Returns:
        Figure: The picture.

    Raises:
        FileNotFoundError: If there is no such image.
        ValueError: If an image cannot be read, or a network has no such class.
    """
    rows, columns = len(images), len(networks) + 1
    figure, axes = new_figure(rows, columns, 1 + (WIDTH / columns + 0.55) * rows)
    for ax, title in zip(axes[0], ['image', *networks], strict=True):
        ax.set_title(title)
    for ax in axes.flat:
        hide_axes(ax)
    for file, row in zip(images, axes, strict=True):
        target = label
        for ax, (title, network) in zip(row[1:], networks.items(), strict=True):
            image, inputs = network.prepare(file)
            scores = network.probabilities(inputs)
            best = int(scores.argmax())
            if target is None:
                target = best
            if not 0 <= target < len(scores):
                raise ValueError(f'{title} has {len(scores)} classes, not a {target}')
            if ax is row[1]:
                row[0].imshow(image)
                row[0].set_xlabel(f'heat maps of\n{network.name(target)}')
            ax.imshow(image)
            heat = ax.imshow(
                network.heat_map(inputs, target),
                cmap='jet',
                alpha=0.5,
                vmin=0,
                vmax=1,
                interpolation='bilinear',
            )
            ax.set_xlabel(f'says {network.name(best)}\n({scores[best]:.0%})')
    figure.colorbar(
        heat,
        ax=axes,
        location='bottom',
        label='weight of a place, relative to the maximum',
        shrink=0.4,
        aspect=30,
    )
    return figure


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    try:
        import pytorch_grad_cam  # noqa: F401
    except ImportError:
        sys.exit(
            'error: grad-cam is missing; install it: pip install grad-cam '
            '(it is in the extra "vis" of famkd)'
        )
    try:
        networks = {
            label: Classifier(
                *files, layer=args.layer, method=args.method, device=args.device
            )
            for label, files in network_files(parser, args).items()
        }
        figure = plot_grad_cam(args.images, networks, args.label)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f'error: {error}')
    save(figure, out_files(args, list(args.network.values())))


if __name__ == '__main__':
    main()
