"""What several segmentors see in the same images, side by side, with the truth.

    python tools/analysis_tools/show_segmentations.py IMAGE... \
        --network teacher TEACHER.pth --network student STUDENT.pth \
        --network FAM-KD DISTILLED.pth [--masks FOLDER] [--out segmentations.png]

Of a distillation checkpoint the student is shown. The images go through the test
pipeline of each network's config. A mask has the name of its image.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import add_network_arguments, load_network, network_files
from famkd.apis.images import read_image
from famkd.apis.optional import import_problem
from famkd.apis.plots import (
    WIDTH,
    add_out_argument,
    hide_axes,
    new_figure,
    out_files,
    save,
)
from famkd.apis.testing import inner_test_dataset
from famkd.names import type_name
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy import ndarray


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='What several segmentors see in the same images, side by side.'
    )
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    add_network_arguments(parser)
    parser.add_argument(
        '--masks',
        metavar='FOLDER',
        help='folder of the true masks, which are shown after the image',
    )
    add_out_argument(parser, 'segmentations.png', 'beside the last network')
    add_trust_argument(parser)
    return parser


class Segmentor:
    """A trained segmentor, with the way that images take into it.

    Args:
        checkpoint: Path or URL; of a distillation checkpoint the student is taken.
        config: Config file; the one in the checkpoint if None.
        device: Where the network runs. Defaults to 'cpu'.

    Attributes:
        classes: Names of the classes.
        palette: A colour (R, G, B) for each class.
        reduce_zero_label: Whether masks count the classes from 1, and 0 is of none.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the checkpoint cannot be read or is not of the config's
            network or has no test pipeline, or this is not a segmentor.
    """

    def __init__(
        self, checkpoint: str, config: str | None = None, device: str = 'cpu'
    ) -> None:
        from mmcv.transforms import Compose
        from mmengine.registry import DATASETS, DefaultScope

        import famkd.datasets.checked_seg  # noqa: F401 (its data sets have the palette)

        self.model, cfg, self.classes = load_network(checkpoint, config)
        self.model.to(device)
        if cfg.get('default_scope') != 'mmseg' or not self.classes:
            raise ValueError(f'{checkpoint} is not the checkpoint of a segmentor')
        dataset = inner_test_dataset(cfg)
        with DefaultScope.overwrite_default_scope('mmseg'):
            built = DATASETS.build(dict(dataset, pipeline=[], lazy_init=True))
            self.palette = built.metainfo['palette']
            self.reduce_zero_label = built.reduce_zero_label
            # There is no truth to load.
            self.pipeline = Compose(
                [step for step in dataset.pipeline if not _loads_masks(step)]
            )

    def segment(self, file: str) -> 'ndarray':
        """The class of every pixel of an image, shape (H, W)."""
        import torch

        data = self.pipeline(dict(img_path=file))
        with torch.no_grad():
            (found,) = self.model.test_step(
                {key: [value] for key, value in data.items()}
            )
        return found.pred_sem_seg.data[0].cpu().numpy()


def _loads_masks(step: dict) -> bool:
    return type_name(step) in ('LoadAnnotations', 'CheckedLoadMask')


def true_mask(folder: str, file: str, size: tuple[int, int]) -> 'ndarray':
    """The mask of an image: the file of its name in a folder.

    Args:
        folder: Folder of the masks.
        file: The image.
        size: Its height and width.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it cannot be read, is no mask, or of another size.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    found = sorted(Path(folder).glob(f'{Path(file).stem}.*'))
    if not found:
        raise FileNotFoundError(f'{folder} has no mask {Path(file).stem}.*')
    try:
        mask = np.asarray(Image.open(found[0]))
    except UnidentifiedImageError:
        raise ValueError(f'{found[0]}: cannot be read as an image') from None
    if mask.shape != size or mask.min() < 0 or mask.max() > 255:
        raise ValueError(
            f'the mask {found[0]} has the shape {mask.shape} and values from '
            f'{mask.min()} to {mask.max()}; it must have one channel of class numbers, '
            f'0 to 255, and the size of its image, {size}'
        )
    return mask.astype(np.uint8)


def plot_segmentations(
    images: list[str], networks: dict[str, Segmentor], masks: str | None = None
) -> 'Figure':
    """Draws the picture: one row for every image, one column for every network.

    Args:
        images: Image files.
        networks: Title -> network; all of the same classes.
        masks: Folder of the true masks. Defaults to None (not drawn).

    Returns:
        Figure: The picture.

    Raises:
        FileNotFoundError: If there is no such image or mask.
        ValueError: If an image or a mask cannot be read, or networks have other
            classes.
    """
    import numpy as np
    from matplotlib.patches import Patch

    pictures = [read_image(file)[..., ::-1] for file in images]
    titles = ['image', *(['truth'] if masks else []), *networks]
    heights = [WIDTH / len(titles) * x.shape[0] / x.shape[1] + 0.05 for x in pictures]
    figure, axes = new_figure(
        len(images), len(titles), 0.9 + sum(heights), height_ratios=heights
    )
    label, first = next(iter(networks.items()))
    for other, network in networks.items():
        if list(network.classes) != list(first.classes):
            raise ValueError(
                f'--network: the classes of {label!r} are {list(first.classes)}, those '
                f'of {other!r} {list(network.classes)}; show them in two pictures'
            )
    # What has no class is white.
    colors = np.full((256, 3), 255, np.uint8)
    colors[: len(first.palette)] = first.palette
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title)
    for file, picture, row in zip(images, pictures, axes, strict=True):
        found = []
        if masks:
            mask = true_mask(masks, file, picture.shape[:2])
            found.append(mask - np.uint8(first.reduce_zero_label))  # 0 becomes 255
        found += [network.segment(file) for network in networks.values()]
        for ax, shown in zip(row, [picture, *(colors[x] for x in found)], strict=True):
            ax.imshow(shown)
            hide_axes(ax)
    names = zip(first.classes, colors / 255, strict=False)
    figure.legend(
        handles=[Patch(facecolor=color, label=name) for name, color in names],
        loc='outside lower center',
        ncols=6,
    )
    return figure


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    if args.masks and not Path(args.masks).is_dir():
        parser.error(f'--masks: there is no folder {args.masks!r}')
    try:
        networks = {
            label: Segmentor(*files, device=args.device)
            for label, files in network_files(parser, args).items()
        }
        figure = plot_segmentations(args.images, networks, args.masks)
    except ImportError as error:
        sys.exit(f'error: {import_problem(error)}')
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    save(figure, out_files(args, list(args.network.values())))


if __name__ == '__main__':
    main()
