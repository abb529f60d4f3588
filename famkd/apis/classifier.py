"""A classifier from a checkpoint, with the maps inside it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from famkd.apis.checkpoints import load_network
from famkd.apis.images import read_image
from famkd.apis.testing import inner_test_dataset
from famkd.names import near_names, type_name

if TYPE_CHECKING:
    from numpy import ndarray
    from torch import Tensor
    from torch.nn import Module


# Ways to weigh the maps: option of grad_cam.py -> class of pytorch_grad_cam.
METHODS = {
    'eigencam': 'EigenCAM',
    'gradcam': 'GradCAM',
    'gradcam++': 'GradCAMPlusPlus',
    'hirescam': 'HiResCAM',
    'layercam': 'LayerCAM',
    'xgradcam': 'XGradCAM',
}


class Classifier:
    """A trained classifier, with the way that images take into it.

    Args:
        checkpoint: Path or URL; of a distillation checkpoint the student is taken.
        config: Config file; the one in the checkpoint if None.
        layer: Name of the module whose output is weighed. If None, the last one that
            gives a map; of mmpretrain's vision transformers, the first norm of the
            last block.
        method: How :meth:`heat_map` weighs the maps, one of ``METHODS``. Defaults to
            'gradcam'.
        device: Where the network runs. Defaults to 'cpu'.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the checkpoint cannot be read or is not of the config's
            network, the config has no test pipeline, or the network no such layer.
    """

    def __init__(
        self,
        checkpoint: str,
        config: str | None = None,
        layer: str | None = None,
        method: str = 'gradcam',
        device: str = 'cpu',
    ) -> None:
        from mmengine.dataset import Compose
        from mmengine.registry import DefaultScope

        self.model, config, self.classes = load_network(checkpoint, config)
        self.model.to(device)
        self.config, self.method = config, method
        # The loader of files is left to `prepare`. Datasets without files, such as
        # CIFAR, have none, and give RGB.
        first, *others = inner_test_dataset(config).pipeline
        is_loader = type_name(first).endswith('LoadImageFromFile')
        self.channel_order = 'bgr' if is_loader else 'rgb'
        with DefaultScope.overwrite_default_scope(config.get('default_scope')):
            self.pipeline = Compose(others if is_loader else [first, *others])
        names = [name for name, _ in self.model.named_modules() if name]
        if layer is not None and layer not in names:
            near = near_names(layer, names)
            raise ValueError(
                f'--layer {layer} is no module of the network in {checkpoint}; near '
                f'names: {", ".join(near or names[:3])}'
            )
        self.layer = layer

    def prepare(self, file: str) -> tuple['ndarray', 'Tensor']:
        """The image as the network sees it, (H, W, 3) in RGB, and as its input."""
        from mmengine.dataset import pseudo_collate

        image = read_image(file)
        if self.channel_order == 'rgb':
            image = image[..., ::-1]
        size = image.shape[:2]
        data = dict(img=image, img_path=file, img_shape=size, ori_shape=size)
        data = self.pipeline(data)
        inputs = self.model.data_preprocessor(pseudo_collate([data]))['inputs']
        image = data['inputs'].permute(1, 2, 0).numpy()
        return image[..., ::-1] if self.channel_order == 'bgr' else image, inputs

    def probabilities(self, inputs: 'Tensor') -> 'Tensor':
        """The probability of every class, a tensor (classes,)."""
        import torch

        with torch.no_grad():
            scores = self.model(inputs)
        if getattr(scores, 'ndim', 0) != 2:
            raise ValueError(
                'the network is no classifier; show_detections.py shows what detectors '
                'find'
            )
        return class_probabilities(self.model, scores)[0].cpu()

    def heat_map(self, inputs: 'Tensor', label: int) -> 'ndarray':
        """Grad-CAM of a class, an array (H, W) from 0 to 1."""
        import pytorch_grad_cam
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        from famkd.models.algorithms.patches import Patches

        layer = self.model.get_submodule(self.layer or self._last_map(inputs))
        weighing = getattr(pytorch_grad_cam, METHODS[self.method])
        sizes = zip(inputs.shape[-2:], Patches(self.model).size, strict=True)
        grid = tuple(size // patch for size, patch in sizes)
        transform = partial(as_map, grid=grid)
        with weighing(self.model, [layer], reshape_transform=transform) as cam:
            return cam(inputs, [ClassifierOutputTarget(label)])[0]

    def name(self, label: int) -> str:
        """Name of a class, or its number where the checkpoint has no names."""
        return str(self.classes[label] if self.classes else label)

    def _last_map(self, inputs: 'Tensor') -> str:
        """Name of the last module that gives a map, the outermost one of them."""
        names, tokens = [], []

        def hook_for(name: str) -> Callable:
            def hook(module: 'Module', args: tuple, output: object) -> None:
                dimensions = getattr(output, 'ndim', 0)
                if dimensions == 4 and output.shape[2:].numel() > 1:
                    names.append(name)
                elif dimensions == 3 and output.shape[1] > 1:
                    tokens.append(name)

            return hook

        hooks = [
            module.register_forward_hook(hook_for(name))
            for name, module in self.model.named_modules()
        ]
        self.probabilities(inputs)
        for hook in hooks:
            hook.remove()
        # What is behind the last block's first norm reaches the class token no more.
        blocks = [n for n in tokens if '.layers.' in n and n.endswith('.ln1')]
        if blocks:
            return blocks[-1]
        if not names:
            raise ValueError('no module of the network gives a map (N, C, H, W)')
        return names[-1]


def class_probabilities(network: 'Module', scores: 'Tensor') -> 'Tensor':
    """Probabilities from what a classifier or a segmentor gives.

    Args:
        network: The network.
        scores: (N, classes), of a segmentor (N, classes, H, W).

    Returns:
        Tensor: The softmax over the classes, of the same shape; the sigmoid where each
        class is for itself: of heads of mmpretrain for several labels, and of one class
        alone.
    """
    heads = type(getattr(network, 'head', None)).__mro__
    is_multi_label = any(kind.__name__ == 'MultiLabelClsHead' for kind in heads)
    if is_multi_label or scores.shape[1] == 1:
        return scores.sigmoid()
    return scores.softmax(1)


def as_map(features: 'Tensor', grid: tuple[int, int]) -> 'Tensor':
    """A map (N, C, H, W), which the tokens (N, L, C) of the patches become.

    Args:
        features: A map, or tokens, of which those before the patches' (the class
            token, registers) are left out.
        grid: Rows and columns of the patches of the image. Where there are fewer
            tokens, a network such as Swin has merged them two by two.
    """
    if features.ndim != 3:
        return features
    height, width = grid
    while height * width > features.shape[1]:
        height, width = max(1, height // 2), max(1, width // 2)
    patches = features[:, -height * width :]
    return patches.transpose(1, 2).unflatten(2, (height, width))
