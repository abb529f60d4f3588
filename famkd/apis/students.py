"""The student of a distillation config, without its teacher."""

from mmengine.config import Config


def student_config(config: Config) -> dict:
    """Model config of the network that a config trains.

    Args:
        config: Config of a distillation, or of a network alone.

    Returns:
        dict: Config of the student, which any registry builds: no teacher, no
        distiller, no probe. It takes images as the distillation does. Of a network
        alone, its own ``model`` with its ``data_preprocessor``.
    """
    from famkd.models.algorithms.networks import network_config

    model = config.model
    preprocessor = model.get('data_preprocessor') or config.get('data_preprocessor')
    network = dict(network_config(model.get('architecture', model)))
    if preprocessor:
        # A recipe may leave the type to the network.
        own = network.get('data_preprocessor') or {}
        kind = {'type': own['type']} if 'type' in own else {}
        network['data_preprocessor'] = {**kind, **preprocessor}
    return network
