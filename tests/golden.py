"""Checks golden files, numbers of the authors' released code, against famkd.

    python tests/golden.py DIR

prints a line for every file of DIR, ``PASS|FAIL file max-relative-error`` or ``SKIP
file reason``, and exits with 1 if one fails. Errors are relative to the largest value
of each array; the largest one allowed is 1e-4.

A ``.json`` file holds numbers of networks. An ``.npz`` file holds ``meta`` (JSON:
``kind`` and settings), inputs, parameters, outputs, and gradients ``grad_*`` for the
cotangent ``grad_out`` (or of ``loss``). One that has an array which we do not compare,
or lacks one that we need, fails.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from golden_network import NETWORKS, golden_error
from mmengine.model import BaseModel
from torch import nn
from torch.nn.functional import pad

from famkd.layers import (
    FrequencyAttention,
    LocalAttention,
    frequency_distance,
    frequency_masks,
    high_pass_mask,
    mask_overlap,
    prompted_map,
)
from famkd.models import (
    AttentionTransferLoss,
    DCTAttentionLoss,
    FourierKDLoss,
    FreeKDDistiller,
    FrequencyPrompt,
    PKTLoss,
    ReviewDistiller,
    SpectralKDLoss,
)

TOLERANCE = 1e-4


class Skip(Exception):
    """famkd does not have what the file is about."""


class Golden:
    """The arrays of a file, and how far ours are from them."""

    def __init__(self, path):
        with np.load(path) as arrays:
            self.meta = json.loads(str(arrays['meta']))
            self.arrays = {
                name: torch.from_numpy(arrays[name])
                for name in arrays.files
                if name != 'meta'
            }
        self.unused = set(self.arrays)
        self.error = 0.0

    def take(self, name):
        """An array of the file."""
        self.unused.discard(name)
        return self.arrays[name]

    def take_all(self, prefix):
        """The arrays prefix0, prefix1, ..."""
        pattern = re.compile(rf'{prefix}\d+')
        count = sum(pattern.fullmatch(name) is not None for name in self.arrays)
        return [self.take(f'{prefix}{i}') for i in range(count)]

    def take_complex(self, name):
        """An array that the file keeps as real and imaginary part."""
        return torch.complex(self.take(f'{name}_real'), self.take(f'{name}_imag'))

    def load(self, module):
        """Sets the parameters of a module; returns them by their name in the file."""
        parameters = {}
        for path, owner in module.named_modules():
            for key, parameter in owner.named_parameters(recurse=False):
                name = golden_name(f'{path}.{key}'.lstrip('.'))
                if isinstance(owner, FrequencyAttention) and key == 'filter':
                    owner.load_full_spectrum(self.take_complex(name))
                else:
                    value = self.take(name).reshape(parameter.shape)
                    parameter.data.copy_(value)
                parameters[name] = parameter
        return parameters

    def compare(self, ours, expected):
        """Compares values of the file, or what follows from them, with ours."""
        if not expected.numel():
            return
        difference = (ours.detach().reshape(expected.shape) - expected).abs().max()
        error = difference / (expected.abs().max().item() or 1.0)
        # A NaN is an error too: max() would lose it.
        self.error = max(self.error, error.nan_to_num(torch.inf).item())

    def compare_gradients(self, tensors):
        """Compares the gradients that the file has of these tensors."""
        for name, tensor in tensors.items():
            if f'grad_{name}' in self.arrays:
                self.compare(tensor.grad, self.take(f'grad_{name}'))


def golden_name(name):
    """The name in a golden file of a parameter of ours."""
    for pattern, replacement in (
        (r'^stages\.(\d+)\.(fusion|head)\.', r'level\1.'),
        (r'^(level\d+)\.conv\.', r'\1.out.'),
        (r'^(level\d+)\.bn\.', r'\1.out_bn.'),
        (r'\.(weight|bias)$', r'_\1'),
    ):
        name = re.sub(pattern, replacement, name)
    return name


def check_layer(golden, module, *names):
    """Output and gradients of a layer for the inputs of these names."""
    parameters = golden.load(module)
    inputs = {name: golden.take(name).requires_grad_() for name in names}
    out = module(*inputs.values())
    out.backward(golden.take('grad_out'))
    golden.compare(out, golden.take('out'))
    golden.compare_gradients({**inputs, **parameters})


def check_frequency_attention(golden):
    x, filter = golden.take('x'), golden.take_complex('filter')
    module = FrequencyAttention(
        *filter.shape[:2], tuple(x.shape[-2:]), **high_pass(golden)
    )
    check_layer(golden, module, 'x')

    # One step on the filter is one step on the full spectrum, as large as itself.
    grad = golden.take_complex('grad_filter')
    lr = (filter.abs().max() / grad.abs().max()).item()
    torch.optim.SGD([module.filter], lr).step()
    golden.compare(
        torch.view_as_real(module.full_spectrum()),
        torch.view_as_real(acting_part(filter - lr * grad, **high_pass(golden))),
    )


def acting_part(filter, **high_pass):
    """What of a full spectrum acts on real maps: (h K(k) + h conj(K(-k))) / 2."""
    height, width = filter.shape[-2:]
    mask = high_pass_mask(high_pass['high_pass'], (height, width), high_pass['cutoff'])
    masked = torch.fft.ifftshift(mask) * filter
    mirror = masked[..., -torch.arange(height) % height, :]
    mirror = mirror[..., -torch.arange(width) % width]
    return (masked + mirror.conj()) / 2


def high_pass(golden):
    return {
        'high_pass': golden.meta.get('high_pass', 'ideal'),
        'cutoff': golden.meta['cutoff'],
    }


def check_cross_attention(golden):
    check_layer(golden, local_attention(golden), 'x', 'y')


def check_local_attention(golden):
    check_layer(golden, local_attention(golden), 'x')


def local_attention(golden):
    kernel_size = golden.meta.get('kernel_size', 3)
    if kernel_size != 3:
        raise Skip(f'windows of {kernel_size}x{kernel_size}: famkd has 3x3 only')
    return LocalAttention(golden.arrays['x'].shape[1])


def check_review_famkd(golden):
    check_review(
        golden,
        fusion=dict(type='CrossAttentionFusion'),
        head=dict(type='FAMHead', **high_pass(golden)),
        loss=dict(type='StageMSELoss'),
    )


def check_review_abf(golden):
    check_review(
        golden,
        fusion=dict(type='ABFusion'),
        head=dict(type='ConvHead'),
        loss=dict(type='HCLLoss'),
    )


class Features(BaseModel):
    """A network whose modules stage0, stage1, ... give these features."""

    def __init__(self, features):
        super().__init__()
        self.features = features
        for i in range(len(features)):
            self.add_module(f'stage{i}', nn.Identity())

    def forward(self):
        for i, feature in enumerate(self.features):
            self.get_submodule(f'stage{i}')(feature)


def check_review(golden, fusion, head, loss):
    """A review distiller between two networks that give the file's features."""
    student = [feature.requires_grad_() for feature in golden.take_all('student')]
    teacher = golden.take_all('teacher')
    distiller = ReviewDistiller(
        student_stages=[f'stage{i}' for i in range(len(student))],
        teacher_stages=[f'stage{i}' for i in range(len(teacher))],
        fusion=dict(**fusion, mid_channels=golden.meta.get('mid_channels')),
        head=head,
        loss=loss,
    )
    networks = Features(student), Features(teacher)
    distiller.prepare_from_student(networks[0])
    distiller.prepare_from_teacher(networks[1])
    with distiller.student_recorders, distiller.teacher_recorders:
        for network in networks:
            network()
    distiller.build_stages()

    outs = {}
    for i, stage in enumerate(distiller.stages):
        stage['head'].register_forward_hook(
            lambda module, inputs, out, i=i: outs.update({i: out})
        )
    parameters = golden.load(distiller)
    total = sum(distiller.compute_distill_losses().values())
    total.backward()
    golden.compare(total, golden.take('loss'))
    for i, expected in enumerate(golden.take_all('out')):
        golden.compare(outs[i], expected)
    inputs = {f'student{i}': feature for i, feature in enumerate(student)}
    golden.compare_gradients({**inputs, **parameters})


def check_dct_loss(golden):
    loss, students, pairs = dct_pairs(golden)
    sum(loss(*pair) for pair in pairs).backward()
    golden.compare_gradients(students)


def check_dct_guided(golden):
    loss, students, pairs = dct_pairs(golden)
    correct = golden.take('teacher_logits').argmax(1) == golden.take('labels')
    check_loss(golden, sum(loss(*pair, correct) for pair in pairs), students)


def dct_pairs(golden):
    """The loss, whose distances are compared, and the features."""
    loss = DCTAttentionLoss(transform=golden.meta.get('transform', 'real_dft'))
    students, pairs = stage_pairs(golden)
    per_sample = sum(loss.per_sample(*pair) for pair in pairs)
    golden.compare(per_sample, golden.take('per_sample'))
    return loss, students, pairs


def check_attention_transfer(golden):
    students, pairs = stage_pairs(golden)
    loss = AttentionTransferLoss()
    check_loss(golden, sum(loss(*pair) for pair in pairs), students)


def check_pkt(golden):
    student = golden.take('student').requires_grad_()
    loss = PKTLoss()(student, golden.take('teacher'))
    check_loss(golden, loss, {'student': student})


def stage_pairs(golden):
    """The features of the student by their name, and the pairs of both networks."""
    students = [feature.requires_grad_() for feature in golden.take_all('student')]
    pairs = list(zip(students, golden.take_all('teacher'), strict=True))
    return {f'student{i}': feature for i, feature in enumerate(students)}, pairs


def check_loss(golden, loss, inputs):
    """A loss and its gradients with respect to the inputs."""
    loss.backward()
    golden.compare(loss, golden.take('loss'))
    golden.compare_gradients(inputs)


# FreeKD


def check_freekd(golden):
    """The released loss of both networks' maps; masks, not cropped, and their Dice."""
    total = 0.0
    students = {}
    for i, student in enumerate(golden.take_all('student')):
        students[f'student{i}'] = student.requires_grad_()
        teacher = golden.take(f'teacher{i}')
        masks = frequency_masks(teacher, golden.take(f'prompt{i}'))
        # Sides that are even are not cropped.
        height, width = teacher.shape[-2:]
        padded = pad(teacher, (0, width % 2, 0, height % 2))
        golden.compare(prompted_map(padded, masks), golden.take(f'masked_teacher{i}'))
        golden.compare(
            mask_overlap(masks, 'dice'), golden.take(f'dice_dissimilarity{i}')
        )
        distance = frequency_distance(
            student, teacher, masks, low_band=False, levels=golden.meta['levels']
        )
        total = total + distance.mean()
    total.backward()
    golden.compare(total, golden.take('loss'))
    golden.compare_gradients(students)


def check_freekd_prompt(golden):
    """Stage 1: the prompted maps, the overlaps, and the gradients of one step."""
    for i, teacher in enumerate(golden.take_all('teacher')):
        teacher.requires_grad_()
        prompt = golden.take(f'prompt{i}')
        module = FrequencyPrompt(
            prompt.shape[2], golden.meta['num_prompts'], golden.meta['levels']
        )
        module.prompt.data.copy_(prompt)
        masks = module.masks(teacher)
        out = module(teacher)
        dice = mask_overlap(masks, 'dice')
        ((golden.take(f'cotangent{i}') * out).sum() + dice).backward()
        golden.compare(out, golden.take(f'masked_teacher{i}'))
        golden.compare(dice, golden.take(f'dice_dissimilarity{i}'))
        golden.compare(mask_overlap(masks), golden.take(f'jaccard_dissimilarity{i}'))
        golden.compare_gradients({f'teacher{i}': teacher, f'prompt{i}': module.prompt})


def check_freekd_aligned(golden):
    """Stage 2 as released: the bands and the mse of the aligned maps."""
    mse_weight = golden.meta['mse_weight']
    distiller, students, teachers = freekd_distiller(
        golden, released=True, mse_weight=mse_weight
    )
    parameters = {}
    for i, stage in enumerate(distiller.stages):
        for key, parameter in stage.align.named_parameters(prefix=f'align{i}'):
            name = key.replace('.', '_')
            parameter.data.copy_(golden.take(name))
            parameters[name] = parameter
    losses = distiller.stage_losses(students, teachers, targets=None)
    total = sum(losses.values())
    total.backward()
    mse = sum(value for name, value in losses.items() if 'mse' in name)
    golden.compare(total, golden.take('loss'))
    golden.compare(mse / mse_weight, golden.take('mse'))
    golden.compare(total - mse, golden.take('frequency_loss'))
    inputs = {f'student{i}': student for i, student in enumerate(students)}
    golden.compare_gradients({**inputs, **parameters})


def check_freekd_relation(golden):
    """Stage 2 as in the paper, of aligned maps, in double precision."""
    distiller, students, teachers = freekd_distiller(golden, torch.float64)
    gates = {}
    for i, stage in enumerate(distiller.stages):
        eye = torch.eye(stage.align.out_channels).reshape(stage.align.weight.shape)
        stage.align.weight.data.copy_(eye)
        stage.align.bias.data.zero_()
        for role in ('teacher', 'student'):
            relation = getattr(stage, f'{role}_relation')
            relation.temperature = golden.meta['temperature']
            for layer, number in ((relation.gate[0], 1), (relation.gate[2], 2)):
                for key, parameter in layer.named_parameters():
                    name = f'gate_{role}{i}_{key}{number}'
                    parameter.data.copy_(golden.take(name))
                    gates[name] = parameter
    aligned = [s.align(x) for s, x in zip(distiller.stages, students, strict=True)]
    for i, stage in enumerate(distiller.stages):
        deeper = min(i + 1, len(teachers) - 1)
        weights = stage.weights(
            aligned[i], aligned[deeper], teachers[i], teachers[deeper]
        )
        golden.compare(weights, golden.take(f'weights{i}'))
    total = sum(distiller.stage_losses(students, teachers, targets=None).values())
    total.backward()
    golden.compare(total, golden.take('loss'))
    golden.compare_gradients({f'student{i}': x for i, x in enumerate(students)})
    # A softmax follows the last bias, so its gradient is rounding: those of a gate are
    # compared as one vector.
    for role in ('teacher', 'student'):
        for i in range(len(students)):
            names = [name for name in gates if name.startswith(f'gate_{role}{i}_')]
            ours = torch.cat([gates[name].grad.flatten() for name in names])
            theirs = [golden.take(f'grad_{name}').flatten() for name in names]
            golden.compare(ours, torch.cat(theirs))


def freekd_distiller(golden, dtype=torch.float32, **options):
    """A distiller for the file's maps with the file's prompts, and the maps."""
    students = [x.to(dtype).requires_grad_() for x in golden.take_all('student')]
    teachers = [x.to(dtype) for x in golden.take_all('teacher')]
    stages = [f'stage{i}' for i in range(len(students))]
    distiller = FreeKDDistiller(prompts=None, stages=stages, **options)
    distiller.levels = golden.meta['levels']
    distiller.build(students, teachers)
    distiller.to(dtype)
    for i, stage in enumerate(distiller.stages):
        stage.prompt = golden.take(f'prompt{i}').to(dtype)
    return distiller, students, teachers


def check_spectral_kd(golden):
    students, pairs = stage_pairs(golden)
    loss = SpectralKDLoss(loss_weight=1 / len(pairs))
    check_loss(golden, sum(loss(*pair) for pair in pairs), students)


def check_fourier_kd(golden):
    student = golden.take('student').requires_grad_()
    loss = FourierKDLoss(student.shape[1], released=True)
    names = {
        'predictor_weight': loss.predictor.weight,
        'predictor_bias': loss.predictor.bias,
        'atfm_sigma_tensor': loss.sigma,
        'atfm_conv1x1_0_weight': loss.student_amplitude.weight,
        'atfm_conv1x1_0_bias': loss.student_amplitude.bias,
        'atfm_conv1x1_b_0_weight': loss.teacher_amplitude.weight,
        'atfm_conv1x1_b_0_bias': loss.teacher_amplitude.bias,
    }
    for name, parameter in names.items():
        parameter.data = golden.take(name)
    value = loss(student, golden.take('teacher'), golden.take('noise'))
    check_loss(golden, value, {'student': student, **names})


CHECKS = {
    'frequency_attention': check_frequency_attention,
    'cross_attention': check_cross_attention,
    'local_attention': check_local_attention,
    'review_famkd': check_review_famkd,
    'review_abf': check_review_abf,
    'dct_loss': check_dct_loss,
    'dct_guided': check_dct_guided,
    'attention_transfer': check_attention_transfer,
    'pkt': check_pkt,
    'freekd': check_freekd,
    'freekd_prompt': check_freekd_prompt,
    'freekd_aligned': check_freekd_aligned,
    'freekd_relation': check_freekd_relation,
    'spectral_kd': check_spectral_kd,
    'fourier_kd': check_fourier_kd,
}


def check_arrays(path):
    """Checks a file of arrays; returns the largest relative error."""
    golden = Golden(path)
    kind = golden.meta['kind']
    if kind not in CHECKS:
        raise Skip(f'kind {kind!r} is not built')
    CHECKS[kind](golden)
    if golden.unused:
        raise ValueError(f'arrays not compared: {", ".join(sorted(golden.unused))}')
    return golden.error


def check_networks(path):
    """Checks a file of networks; returns the largest relative error."""
    networks = json.loads(path.read_text())
    unknown = sorted(set(networks) - set(NETWORKS))
    if unknown:
        print(f'SKIP {path.name} networks that are not built: {", ".join(unknown)}')
    known = set(networks) & set(NETWORKS)
    if not known:
        raise Skip('none of its networks is built')
    return max(golden_error(name, networks[name]) for name in known)


def check_file(path):
    """Verdict on a file, and what is said with it."""
    try:
        check = check_networks if path.suffix == '.json' else check_arrays
        error = check(path)
    except Skip as reason:
        return 'SKIP', str(reason)
    except Exception as problem:  # a bad file must not hide the others
        reason = ' '.join(f'{type(problem).__name__}: {problem}'.split())
        return 'FAIL', f'inf ({reason[:300]})'
    return 'PASS' if error <= TOLERANCE else 'FAIL', f'{error:.2e}'


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('dir', type=Path, help='folder of golden files')
    folder = parser.parse_args().dir
    paths = sorted([*folder.glob('*.npz'), *folder.glob('*.json')])
    if not paths:
        parser.error(f'no golden files in {folder}')

    failed = False
    for path in paths:
        verdict, rest = check_file(path)
        print(verdict, path.name, rest, flush=True)
        failed |= verdict == 'FAIL'
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
