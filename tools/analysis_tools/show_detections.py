"""The boxes that several detectors find on the same images, side by side.

    python tools/analysis_tools/show_detections.py IMAGE... \
        --network teacher TEACHER.pth --network student STUDENT.pth \
        --network FAM-KD DISTILLED.pth [--annotations COCO.json] [--out detections.png]

Of a distillation checkpoint the student is shown. The images go through the test
pipeline of each network's config.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import add_network_arguments, load_network, network_files
from famkd.apis.images import read_image
from famkd.apis.plots import (
    COLORS,
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
        description='The boxes of several detectors on the same images, side by side.'
    )
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    add_network_arguments(parser)
    parser.add_argument(
        '--annotations',
        metavar='COCO.json',
        help='draw the true boxes of this file on the image in the first column',
    )
    parser.add_argument(
        '--score',
        type=float,
        default=0.5,
        metavar='MIN',
        help='least score of a box that is drawn; default: %(default)s',
    )
    add_out_argument(parser, 'detections.png', 'beside the last network')
    add_trust_argument(parser)
    return parser


class Detector:
    """A trained detector, with the way that images take into it.

    Args:
        checkpoint: Path or URL; of a distillation checkpoint the student is taken.
        config: Config file; the one in the checkpoint if None.
        device: Where the network runs. Defaults to 'cpu'.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the checkpoint cannot be read or is not of the config's
            network, or this is not a detector.
    """

    def __init__(
        self, checkpoint: str, config: str | None = None, device: str = 'cpu'
    ) -> None:
        self.model, self.model.cfg, self.classes = load_network(checkpoint, config)
        self.model.to(device)
        if self.model.cfg.get('default_scope') != 'mmdet' or not self.classes:
            raise ValueError(f'{checkpoint} is not the checkpoint of a detector')

    def detect(self, file: str, least_score: float) -> list[tuple[str, list[float]]]:
        """The boxes that reach a score: class, (x1, y1, x2, y2) in pixels."""
        from mmdet.apis import inference_detector
        from mmengine.registry import DefaultScope

        with DefaultScope.overwrite_default_scope('mmdet'):
            found = inference_detector(self.model, file).pred_instances.cpu()
        found = found[found.scores >= least_score]
        classes = [self.classes[label] for label in found.labels]
        return list(zip(classes, found.bboxes.tolist(), strict=True))


def true_boxes(
    annotations: str, files: list[str]
) -> list[list[tuple[str, list[float]]]]:
    """The boxes of each image in a COCO file, found by the image's name.

    Raises:
        ValueError: If the file lacks an image.
    """
    from pycocotools.coco import COCO

    coco = COCO(annotations)
    ids = {}
    for i, image in coco.imgs.items():  # of two of one name, the first counts
        ids.setdefault(Path(image['file_name']).name, i)
    names = [Path(file).name for file in files]
    for name in names:
        if name not in ids:
            raise ValueError(f'{annotations} has no image {name}')
    return [
        [
            (coco.cats[x['category_id']]['name'], [a, b, a + width, b + height])
            for x in coco.imgToAnns[ids[name]]
            for a, b, width, height in [x['bbox']]
        ]
        for name in names
    ]


def plot_detections(
    images: list[str],
    networks: dict[str, Detector],
    least_score: float = 0.5,
    annotations: str | None = None,
) -> 'Figure':
    """Draws the picture: one row for every image, one column for every network.

    Args:
        images: Image files.
        networks: Title -> network.
        least_score: Least score of a box that is drawn. Defaults to 0.5.
        annotations: COCO file with the true boxes. Defaults to None (not drawn).

    Returns:
        Figure: The picture.

    Raises:
        FileNotFoundError: If there is no such image.
        ValueError: If an image cannot be read, or is not in the annotations.
    """
    from matplotlib.patches import Patch, Rectangle

    pictures = [read_image(file)[..., ::-1] for file in images]
    columns = len(networks) + 1
    heights = [WIDTH / columns * x.shape[0] / x.shape[1] for x in pictures]
    figure, axes = new_figure(
        len(images), columns, 0.8 + sum(heights), height_ratios=heights
    )
    truth = true_boxes(annotations, images) if annotations else [[] for _ in images]
    rows = [
        [boxes, *(network.detect(file, least_score) for network in networks.values())]
        for file, boxes in zip(images, truth, strict=True)
    ]
    drawn = {name for row in rows for boxes in row for name, _ in boxes}
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(sorted(drawn))}
    for ax, title in zip(
        axes[0], ['truth' if annotations else 'image', *networks], strict=True
    ):
        ax.set_title(title)
    for picture, found_by, row in zip(pictures, rows, axes, strict=True):
        for ax, found in zip(row, found_by, strict=True):
            ax.imshow(picture)
            hide_axes(ax)
            for name, (x1, y1, x2, y2) in found:
                ax.add_patch(
                    Rectangle(
                        (x1, y1), x2 - x1, y2 - y1, fill=False, color=colors[name]
                    )
                )
    figure.legend(
        handles=[Patch(color=color, label=name) for name, color in colors.items()],
        loc='outside lower center',
        ncols=6,
    )
    return figure


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    if args.annotations and not Path(args.annotations).is_file():
        parser.error(f'--annotations: there is no file {args.annotations!r}')
    try:
        networks = {
            label: Detector(*files, device=args.device)
            for label, files in network_files(parser, args).items()
        }
        figure = plot_detections(args.images, networks, args.score, args.annotations)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    save(figure, out_files(args, list(args.network.values())))


if __name__ == '__main__':
    main()
