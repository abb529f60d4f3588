"""Test a model; with a distillation config, the student.

    python tools/test.py CONFIG CKPT [--out FILE] [--amp] [--cfg-options ...] ...

CONFIG is the config of a distillation or of the student alone; CKPT, with either, a
checkpoint of the distillation or the student cut out of one
(tools/model_converters/extract_student.py). Nothing of the teacher is needed; but
prompts of FreeKD are tested with theirs.
"""

import argparse
import os
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from famkd.apis.cli import (
    add_common_arguments,
    build_runner,
    check_config,
    load_config,
    resolve_model_paths,
    set_dataloader_defaults,
    set_thread_count,
)
from famkd.apis.config_checks.data import check_data
from famkd.apis.testing import augment_test, draw_predictions
from famkd.checkpoint_keys import (
    PARALLEL,
    foreign_weights,
    read_weights,
    student_weights,
)
from famkd.names import first_names
from famkd.runtime.unwrapped import unwrapped_model

METRICS_FILES = '.json', '.yaml', '.yml', '.pkl', '.pickle'  # MMEngine writes them


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        description='Test a model', usage='%(prog)s CONFIG CKPT [options]'
    )
    parser.add_argument('config', metavar='CONFIG', help='config file')
    parser.add_argument('checkpoint', metavar='CKPT', help='checkpoint file')
    parser.add_argument('--out', help='file to write the results to')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='which results to write; default: the predictions (a .pkl file)',
    )
    parser.add_argument(
        '--corruptions',
        nargs='*',
        metavar='NAME',
        help='test a detector on corrupted images, too, as COCO-C does; default: its '
        '15 corruptions',
    )
    parser.add_argument(
        '--severities',
        nargs='+',
        type=int,
        choices=range(1, 6),
        metavar='N',
        help='severities of the corruptions; default: 1 2 3 4 5',
    )
    parser.add_argument(
        '--show-dir', metavar='DIR', help='draw the predictions of every image there'
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help='average over augmented images: tta_model and tta_pipeline of the config, '
        'or flips',
    )
    add_common_arguments(parser)
    return parser


def merge_args(
    parser: argparse.ArgumentParser, cfg: Config, args: argparse.Namespace
) -> None:
    """Put the command line's options into the config, and the student in its model.

    Args:
        parser: Reports the errors.
        cfg: The config, changed in place.
        args: The parsed arguments.
    """
    if args.out_item and not args.out:
        parser.error('--out-item: give the file to write to with --out')
    writes_predictions = args.out and args.out_item != 'metrics'
    if writes_predictions and not args.out.endswith(('.pkl', '.pickle')):
        parser.error(
            f'--out: predictions go to a .pkl file, got {args.out!r}; for a .json '
            'file of metrics add --out-item metrics'
        )
    if args.out_item == 'metrics' and not args.out.endswith(METRICS_FILES):
        parser.error(
            f'--out: metrics go to a {", ".join(METRICS_FILES)} file, got {args.out!r}'
        )
    if args.corruptions is None and args.severities:
        parser.error('--severities: of which corruptions? Add --corruptions')
    if args.corruptions is not None and writes_predictions:
        parser.error(
            '--corruptions: the predictions of many tests do not go into one file; for '
            'the metrics add --out-item metrics'
        )
    if args.corruptions is not None and args.show_dir:
        parser.error(
            '--corruptions: of each image, only the last picture would be left in '
            '--show-dir; leave one of them out'
        )
    if '://' not in args.checkpoint and not os.path.isfile(args.checkpoint):
        parser.error(f'checkpoint: there is no file {args.checkpoint!r}')
    check_config(parser, cfg, ['test'])
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.amp:
        cfg.test_cfg.fp16 = True
    set_dataloader_defaults(cfg, args)
    if 'architecture' in cfg.model:
        for key in ('teacher', 'teacher_ckpt', 'distiller'):
            cfg.model.pop(key, None)
    resolve_model_paths(parser, cfg)

    from famkd.apis.students import student_config

    cfg.model = student_config(cfg)
    if args.show_dir:
        draw_predictions(parser, cfg, args.show_dir)
    if args.tta:
        augment_test(parser, cfg)
    if args.corruptions is not None:
        check_corruptions(parser, cfg, args)


def check_corruptions(
    parser: argparse.ArgumentParser, cfg: Config, args: argparse.Namespace
) -> None:
    """Fill in which corruptions to test, and check them before the first test.

    Args:
        parser: Reports the error.
        cfg: The complete config.
        args: The parsed arguments; ``corruptions`` and ``severities`` are changed.
    """
    from famkd.apis.robustness import corrupted_loaders
    from famkd.datasets.corrupt import CORRUPTIONS, SEVERITIES

    args.corruptions = args.corruptions or CORRUPTIONS
    args.severities = args.severities or SEVERITIES
    try:
        corrupted_loaders(cfg.test_dataloader, args.corruptions, args.severities)
    except (ImportError, ValueError) as error:
        parser.error(f'--corruptions: {error}')


class StudentWeightsHook(Hook):
    """Loads the student out of any checkpoint that is of its network.

    MMEngine only warns about keys that are missing or do not fit, and would then
    test a network that is random in part, or a part of a larger one.

    Args:
        parser: Reports the error, a weight that is missing or has another shape.
        file: Name of the checkpoint, for the error.
    """

    priority = 'VERY_HIGH'  # before hooks that take the weights themselves, as EMA's

    def __init__(self, parser: argparse.ArgumentParser, file: str) -> None:
        self.parser, self.file = parser, file

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Puts the student's weights under its own names, and checks them."""
        from mmengine.model import BaseTTAModel

        weights = read_weights(checkpoint)
        weights = checkpoint['state_dict'] = student_weights(weights) or weights
        if 'ema_state_dict' in checkpoint:
            average = read_weights(checkpoint['ema_state_dict'])
            steps = average.pop('steps')
            average = student_weights(average) or average
            average = {PARALLEL + name: value for name, value in average.items()}
            checkpoint['ema_state_dict'] = {**average, 'steps': steps}
        model = unwrapped_model(runner)
        if isinstance(model, BaseTTAModel):
            model = model.module
        expected = model.state_dict()
        wrong = [
            key
            for key, value in expected.items()
            if not key.endswith(('num_batches_tracked', '_extra_state'))
            and (key not in weights or weights[key].shape != value.shape)
        ]
        if wrong:
            self.parser.error(
                f'{self.file}: {len(wrong)} of {len(expected)} weights of the model in '
                'the config are missing, or of another shape, in the checkpoint: '
                f'{first_names(wrong)}'
            )
        unused = (key for key in weights if key not in expected)
        foreign = foreign_weights(unused, dict(model.named_modules()))
        if foreign:
            self.parser.error(
                f'{self.file} is of a larger network than the one in the config: '
                f'{len(foreign)} of its weights are of no use: '
                f'{first_names(foreign)}'
            )


def run_corrupted(runner: Runner, args: argparse.Namespace) -> dict[str, float]:
    """Test on clean images and on corrupted ones, and print tables.

    Args:
        runner: Runner of the test.
        args: The parsed arguments.

    Returns:
        dict: Metric name -> value on clean images, and mPC and rPC of each.
    """
    from famkd.apis.robustness import evaluate_corrupted, report, summarize

    results = evaluate_corrupted(runner, args.corruptions, args.severities)
    summary = summarize(results)
    print(report(results, summary))
    return summary


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Test; see the module's docstring.

    Returns:
        dict: Metric name -> value.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    set_thread_count()
    cfg = load_config(parser, args)
    merge_args(parser, cfg, args)
    check_data(parser, cfg, ['test'])
    runner = build_runner(parser, cfg)

    import mmengine
    from mmengine.dist import is_main_process
    from mmengine.evaluator import DumpResults

    runner.register_hook(StudentWeightsHook(parser, args.checkpoint))
    if args.out and args.out_item != 'metrics':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    if args.corruptions is None:
        metrics = runner.test()
    else:
        metrics = run_corrupted(runner, args)
    if args.out_item == 'metrics' and is_main_process():
        mmengine.dump(metrics, args.out)
    return metrics


if __name__ == '__main__':
    main()
