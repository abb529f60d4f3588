"""Test a model; with a distillation config, the student.

    python tools/test.py CONFIG CKPT [--out FILE] [--amp] [--cfg-options ...] ...

CKPT is a distillation checkpoint and CONFIG the config that it was trained with, or
CKPT is a student alone (tools/model_converters/extract_student.py) and CONFIG the
student's own config. The teacher's checkpoint is not needed.
"""

import argparse
import os
from inspect import signature

from famkd.apis.cli import (
    add_common_arguments,
    build_runner,
    load_config,
    merge_cfg_options,
    set_dataloader_defaults,
)

STUDENT = 'architecture.'  # MMRazor's name of the student inside an algorithm


def build_parser():
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(description='Test a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', help='file to write the results to')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='which results to write; default: the predictions (a .pkl file)',
    )
    add_common_arguments(parser)
    return parser


def merge_args(parser, cfg, args):
    """Put the command line's options into the config.

    Args:
        parser (argparse.ArgumentParser): Reports the errors.
        cfg (mmengine.Config): The config, changed in place.
        args (argparse.Namespace): The parsed arguments.
    """
    if args.out_item and not args.out:
        parser.error('--out-item: give the file to write to with --out')
    writes_predictions = args.out and args.out_item != 'metrics'
    if writes_predictions and not args.out.endswith(('.pkl', '.pickle')):
        parser.error(
            f'--out: predictions go to a .pkl file, got {args.out!r}; for a .json '
            'file of metrics add --out-item metrics'
        )
    if '://' not in args.checkpoint and not os.path.isfile(args.checkpoint):
        parser.error(f'checkpoint: there is no file {args.checkpoint!r}')
    cfg.load_from = args.checkpoint
    cfg.resume = False
    forget_teacher(cfg.model)
    if args.amp:
        cfg.test_cfg.fp16 = True
    set_dataloader_defaults(cfg, args)
    merge_cfg_options(parser, cfg, args.cfg_options)


def forget_teacher(model):
    """Make a distillation model buildable without its teacher's checkpoint.

    Args:
        model (dict): Config of any model, changed in place.
    """
    if 'teacher_ckpt' not in model:
        return
    from mmengine.registry import MODELS

    model['teacher_ckpt'] = None
    if 'allow_random_teacher' in signature(MODELS.get(model['type'])).parameters:
        model['allow_random_teacher'] = True


def check_weights(model, weights):
    """Refuse weights that are not those of the model to test.

    MMEngine only warns about keys that are missing or do not fit, and would then
    test a network that is random in part.

    Args:
        model (torch.nn.Module): What the config describes: a network, or a
            distillation algorithm, of which only the student matters.
        weights (dict): The checkpoint's ``state_dict``.

    Raises:
        ValueError: If a weight of the tested network is missing or has another
            shape; it says what to do about it.
    """
    expected = model.state_dict()
    students = {
        key: value for key, value in expected.items() if key.startswith(STUDENT)
    }
    expected = students or expected
    # MMEngine strips the prefix of DataParallel checkpoints when it loads them.
    weights = {key.removeprefix('module.'): value for key, value in weights.items()}
    is_distillation = any(key.startswith(STUDENT) for key in weights)
    if is_distillation and not students:
        raise ValueError(
            'this is a distillation checkpoint: test it with its distillation config, '
            'or cut the student out with tools/model_converters/extract_student.py'
        )
    if students and not is_distillation:
        raise ValueError(
            'this is not a distillation checkpoint: test a student alone with the '
            "student's own config"
        )
    wrong = [
        key
        for key, value in expected.items()
        if not key.endswith('num_batches_tracked')
        and (key not in weights or weights[key].shape != value.shape)
    ]
    if wrong:
        raise ValueError(
            f'{len(wrong)} of {len(expected)} weights of the model in the config are '
            f'missing, or of another shape, in the checkpoint: {", ".join(wrong[:3])}, ...'
        )


def main(argv=None):
    """Test; see the module's docstring.

    Returns:
        dict: Metric name -> value.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    cfg = load_config(parser, args)
    merge_args(parser, cfg, args)
    runner = build_runner(parser, cfg)

    import mmengine
    from mmengine.evaluator import DumpResults
    from mmengine.hooks import Hook
    from mmengine.model import is_model_wrapper

    class CheckWeightsHook(Hook):
        def after_load_checkpoint(self, runner, checkpoint):
            model = runner.model
            model = model.module if is_model_wrapper(model) else model
            try:
                check_weights(model, checkpoint.get('state_dict', checkpoint))
            except ValueError as error:
                parser.error(f'{args.checkpoint}: {error}')

    runner.register_hook(CheckWeightsHook())
    if args.out and args.out_item != 'metrics':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    metrics = runner.test()
    if args.out_item == 'metrics':
        mmengine.dump(metrics, args.out)
    return metrics


if __name__ == '__main__':
    main()
