"""The places that the prompts of FreeKD choose in an image, band by band.

    python tools/analysis_tools/plot_masks.py CONFIG IMAGE PROMPTS.pth \
        [--map 0] [--out masks.png]

CONFIG is the recipe of the prompt tuning. One row for every prompt as it starts, then
one for every prompt of the file; one column for every band, the low one and the levels
from fine to coarse. Bright is open. The image goes through the test pipeline of the
config.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import add_device_argument
from famkd.apis.cli import find_config
from famkd.apis.images import read_image
from famkd.apis.plots import (
    WIDTH,
    add_out_argument,
    hide_axes,
    new_figure,
    out_files,
    save,
)
from famkd.apis.testing import inner_test_dataset
from famkd.checkpoint_keys import read_weights
from famkd.names import type_name
from famkd.runtime.safe_load import (
    add_trust_argument,
    load_checkpoint,
    trust_checkpoints,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mmengine.config import Config
    from torch import Tensor

    from famkd.models import PromptTuning


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='The places that the prompts of FreeKD choose, band by band.'
    )
    parser.add_argument('config', metavar='CONFIG', help='recipe of the prompt tuning')
    parser.add_argument('image', metavar='IMAGE')
    parser.add_argument('prompts', metavar='PROMPTS', help='its checkpoint')
    parser.add_argument(
        '--map',
        type=int,
        default=0,
        metavar='I',
        help='which map of those that are prompted; default: %(default)s, the finest',
    )
    add_device_argument(parser)
    add_out_argument(parser, 'masks.png', 'beside PROMPTS')
    add_trust_argument(parser)
    return parser


def preprocess(model: 'PromptTuning', config: 'Config', file: str) -> dict:
    """An image as the test pipeline and the preprocessor of a config make it."""
    from mmcv.transforms import Compose

    steps = [
        step
        for step in inner_test_dataset(config).pipeline
        if not type_name(step).endswith('LoadAnnotations')
    ]
    item = Compose(steps)(dict(img_path=file, img_id=0))
    batch = dict(inputs=[item['inputs']], data_samples=[item['data_samples']])
    return model.data_preprocessor(batch, False)


def masks_before_and_after(
    config: 'Config', file: str, prompts: str, index: int, device: str = 'cpu'
) -> tuple[list[list['Tensor']], tuple[int, int]]:
    """The masks of an image, with prompts as they start and with those of a file.

    Args:
        config: Recipe of the prompt tuning.
        file: The image.
        prompts: Checkpoint of the prompt tuning.
        index: Which of the prompted maps.
        device: Where the network runs. Defaults to 'cpu'.

    Returns:
        tuple: For both, the masks of each band, shape (T, H, W) of the image in the
        network, and the height and width of the image without its padding.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If the prompts are not of this recipe, there is no such map, or the
            recipe has no test pipeline.
    """
    import torch
    from mmengine.registry import MODELS, init_default_scope
    from torch.nn.functional import interpolate

    import famkd.models  # noqa: F401 (registers the algorithm)

    init_default_scope(config.get('default_scope'))
    torch.manual_seed(0)
    model = MODELS.build(config.model).eval().to(device)
    if not 0 <= index < len(model.prompts):
        raise ValueError(
            f'--map {index}: there are {len(model.prompts)} maps; choose 0 to '
            f'{len(model.prompts) - 1}'
        )
    data = preprocess(model, config, file)
    images = data['inputs']
    results = []
    for checkpoint in (None, load_checkpoint(prompts)):
        if checkpoint is not None:
            try:
                model.load_state_dict(read_weights(checkpoint))
            except (RuntimeError, ValueError) as error:
                reason = ' '.join(str(error).split())
                raise ValueError(f'{prompts} is not of this recipe: {reason}') from None
        masks = model.masks(images)[index]
        results.append(
            [interpolate(mask, images.shape[-2:])[0].cpu() for mask in masks]
        )
    return results, data['data_samples'][0].img_shape[:2]


def plot_masks(
    image: str, masks: list[list['Tensor']], size: tuple[int, int]
) -> 'Figure':
    """Draws the masks over the image.

    Args:
        image: The image file.
        masks: For prompts before and after tuning, the masks of each band (T, H, W).
        size: Height and width of the image without its padding.

    Returns:
        Figure: The picture.
    """
    import cv2

    height, width = size
    grey = cv2.cvtColor(read_image(image), cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(grey, (width, height))
    bands, count = len(masks[0]), masks[0][0].shape[0]
    rows = [(when, i) for when in range(2) for i in range(count)]
    figure, axes = new_figure(
        len(rows), bands, 0.4 + len(rows) * WIDTH / bands * height / width
    )
    for j in range(bands):
        axes[0, j].set_title(f'level {j}' if j else 'low band')
    for row, (when, i) in zip(axes, rows, strict=True):
        row[0].set_ylabel(f'{("before", "after")[when]}, prompt {i + 1}')
        for ax, mask in zip(row, masks[when], strict=True):
            ax.imshow(grey, cmap='gray')
            ax.imshow(
                mask[i, :height, :width].numpy(),
                cmap='viridis',
                alpha=0.6,
                vmin=0,
                vmax=1,
            )
            hide_axes(ax)
    return figure


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    from mmengine.config import Config

    config = find_config(parser, args.config)
    try:
        read_image(args.image)
        masks, size = masks_before_and_after(
            Config.fromfile(config),
            args.image,
            args.prompts,
            args.map,
            args.device,
        )
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    save(plot_masks(args.image, masks, size), out_files(args, [args.prompts]))


if __name__ == '__main__':
    main()
