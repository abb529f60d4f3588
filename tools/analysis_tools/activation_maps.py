"""Where networks look, stage by stage: activation maps, their spectra, and their SSIM.

    python tools/analysis_tools/activation_maps.py IMAGE... \
        --network teacher TEACHER.pth --network student STUDENT.pth \
        --network DCT DISTILLED.pth [--test-images 500] [--out activation_maps.png]

For every image and network, the mean energy over the channels at each stage and its
transform, as the DCT-driven loss compares them. Below a map stands its SSIM with that
of the first network. ``--test-images N`` prints the mean SSIM over N images of the
first network's test set, of those that it classifies right. Of a distillation
checkpoint the student is shown.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import add_network_arguments, network_files
from famkd.apis.classifier import Classifier
from famkd.apis.plots import (
    WIDTH,
    add_out_argument,
    hide_axes,
    new_figure,
    out_files,
    save,
)
from famkd.apis.tables import markdown_table
from famkd.runtime.safe_load import add_trust_argument, trust_checkpoints

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Networks = dict[str, Classifier]
TRANSFORMS = {'dct': 'DCT', 'real_dft': 'real DFT'}


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Activation maps of several networks, their spectra and their SSIM.'
    )
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    add_network_arguments(parser)
    parser.add_argument(
        '--stage',
        dest='stages',
        action='append',
        metavar='MODULE',
        help='module whose output is shown, again for every further one; default: the '
        'last one at each size of the map',
    )
    parser.add_argument(
        '--transform',
        default='dct',
        choices=list(TRANSFORMS),
        help='default: %(default)s',
    )
    parser.add_argument(
        '--test-images',
        type=int,
        default=0,
        metavar='N',
        help='print the mean SSIM over so many images of the test set; default: none',
    )
    add_out_argument(parser, 'activation_maps.png', 'beside the last network')
    add_trust_argument(parser)
    return parser


def stage_names(
    network: Classifier, given: Sequence[str] | None, image: str
) -> list[str]:
    """The modules whose maps are shown: those given, or all for the size of an image.

    Raises:
        ValueError: If the network has no such module.
    """
    from famkd.apis.stages import find_stages
    from famkd.models.module_names import check_module_name

    if given is None:
        _, inputs = network.prepare(image)
        stages = find_stages(network.model, tuple(inputs.shape[1:]))
        return [stage.source for stage in stages if stage.size != (1, 1)]
    for name in given:
        check_module_name(name, network.model, 'network', '--stage')
    return list(given)


def features(network: Classifier, inputs: 'Tensor', names: list[str]) -> list['Tensor']:
    """The maps that some modules give for a batch, and then the class scores."""
    import torch

    outputs = {}

    def keep(name: str) -> Callable:
        return lambda module, args, output: outputs.update({name: as_map(name, output)})

    hooks = [
        network.model.get_submodule(name).register_forward_hook(keep(name))
        for name in names
    ]
    with torch.no_grad():
        scores = network.model(inputs)
    for hook in hooks:
        hook.remove()
    return [x.cpu() for x in (*(outputs[name] for name in names), scores)]


def as_map(name: str, output: object) -> 'Tensor':
    """What a module gives as a map (N, C, H, W); tokens are laid out.

    Raises:
        ValueError: If it is no map of more than one place.
    """
    from torch import Tensor

    from famkd.models.distillers.tokens import tokens_to_map

    if isinstance(output, (tuple, list)) and len(output) == 1:
        output = output[0]
    if isinstance(output, Tensor) and output.ndim == 3:
        output = tokens_to_map(output)
    if not isinstance(output, Tensor) or output.ndim != 4 or output[0, 0].numel() == 1:
        raise ValueError(
            f'--stage: {name!r} gives no map of more than one place; name a module of '
            'the backbone'
        )
    return output


def plot_activation_maps(
    images: list[str],
    networks: Networks,
    stages: dict[str, list[str]],
    transform: str = 'dct',
) -> 'Figure':
    """Draws the picture: one row for every image and network, two columns for a stage.

    Args:
        images: Image files.
        networks: Title -> network; SSIM is that with the first.
        stages: Title -> modules of the network, as many for each.
        transform: Transform of :class:`DCTAttentionLoss`.
    """
    from famkd.layers import activation_map, activation_ssim
    from famkd.models import DCTAttentionLoss

    loss = DCTAttentionLoss(transform)
    count = len(next(iter(stages.values())))
    columns = 1 + 2 * count
    figure, axes = new_figure(
        len(images) * len(networks),
        columns,
        0.4 + (WIDTH / columns + 0.25) * len(images) * len(networks),
    )
    for ax in axes.flat:
        hide_axes(ax)
    for i in range(count):
        axes[0, 1 + i].set_title(f'stage {i + 1}')
        axes[0, 1 + count + i].set_title(f'{TRANSFORMS[transform]}, {i + 1}')
    rows = iter(axes)
    for file in images:
        first = None
        for title, network in networks.items():
            row = next(rows)
            image, inputs = network.prepare(file)
            *maps, _ = features(network, inputs, stages[title])
            first = first or maps
            row[0].imshow(image)
            row[0].set_ylabel(title)
            for i, (own, reference) in enumerate(zip(maps, first, strict=True)):
                energy = activation_map(own)
                row[1 + i].imshow(energy[0].numpy(), cmap='jet')
                row[1 + count + i].imshow(loss.spectrum(energy)[0].numpy(), cmap='gray')
                if maps is not first:
                    alike = activation_ssim(own, reference).item()
                    row[1 + i].set_xlabel(f'SSIM {alike:.2f}')
    return figure


def mean_ssim(
    networks: Networks, stages: dict[str, list[str]], count: int
) -> dict[str, list[float]]:
    """The mean SSIM with the first network's maps, on its test set.

    Args:
        networks: Title -> network.
        stages: Title -> modules of the network, as many for each.
        count: How many images, spread evenly over the test set. Those that the first
            network classifies wrong do not count.

    Returns:
        dict: Title, but for the first -> SSIM at each stage.

    Raises:
        ValueError: If the first network classifies none right.
    """
    import torch
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import DefaultScope
    from mmpretrain.registry import DATASETS

    from famkd.layers import activation_ssim

    reference, *others = networks
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = DATASETS.build(networks[reference].config.test_dataloader.dataset)
    count = min(count, len(dataset))
    sums = {title: torch.zeros(len(stages[title])) for title in others}
    right = 0
    for i in range(count):
        item = dataset[i * len(dataset) // count]

        def maps(title: str, item: dict = item) -> list[torch.Tensor]:
            data = pseudo_collate([item])
            inputs = networks[title].model.data_preprocessor(data)['inputs']
            return features(networks[title], inputs, stages[title])

        *expected, scores = maps(reference)
        if scores.argmax() != item['data_samples'].gt_label:
            continue
        right += 1
        for title in others:
            *own, _ = maps(title)
            pairs = zip(own, expected, strict=True)
            sums[title] += torch.cat([activation_ssim(*pair) for pair in pairs])
    if not right:
        raise ValueError(
            f'{reference} classifies none of {count} images right, and SSIM is that of '
            'those; give more --test-images, or a better first network'
        )
    print(f'{reference} classifies {right} of {count} images right')
    return {title: (sums[title] / right).tolist() for title in others}


def main(argv: list[str] | None = None) -> None:
    """Run the command line; see the module's docstring."""
    parser = build_parser()
    args = parser.parse_args(argv)
    trust_checkpoints(args.trust_checkpoint)
    try:
        networks = {
            label: Classifier(*files, device=args.device)
            for label, files in network_files(parser, args).items()
        }
        stages = {
            title: stage_names(network, args.stages, args.images[0])
            for title, network in networks.items()
        }
        if len({len(names) for names in stages.values()}) > 1:
            found = '; '.join(f'{t}: {", ".join(n)}' for t, n in stages.items())
            raise ValueError(
                f'the networks have other numbers of stages ({found}); '
                'name them with --stage'
            )
        figure = plot_activation_maps(args.images, networks, stages, args.transform)
        if args.test_images:
            table = mean_ssim(networks, stages, args.test_images)
            names = [f'stage {i}' for i, _ in enumerate(next(iter(stages.values())), 1)]
            rows = [[t, *(f'{x:.3f}' for x in values)] for t, values in table.items()]
            print(markdown_table([['SSIM', *names], *rows]))
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    save(figure, out_files(args, list(args.network.values())))


if __name__ == '__main__':
    main()
