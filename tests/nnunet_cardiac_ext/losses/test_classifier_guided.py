import math

import pytest
import torch
from torch import nn

from nnunet_cardiac_ext.losses.classifier_guided import ClassifierGuidedLoss, gate, structure_cross_entropy


def random_slices(slices=4, classes=4, size=(5, 3)):
    """Logits, presence logits and labels in which slice 0 lacks class 1 and slice 1 lacks everything."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(slices, classes, *size, generator=generator, dtype=torch.float64)
    presence = torch.randn(slices, classes - 1, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, classes, (slices, 1, *size), generator=generator)
    labels[0][labels[0] == 1] = 0
    labels[1] = 0
    return logits, presence, labels


def by_loops(logits, presence, labels, *, weight=0.1, ignored=None):
    segmentation, answers = 0.0, {}
    slices, classes = logits.shape[:2]
    for n in range(slices):
        pixels = [(r, c) for r in range(logits.shape[2]) for c in range(logits.shape[3])]
        counted = [p for p in pixels if labels[n, 0][p] != ignored]
        for i in range(1, classes):
            p = 1 / (1 + math.exp(-presence[n, i - 1]))
            total = 0.0
            for pixel in counted:
                powers = [math.exp(logits[n, k][pixel]) for k in range(classes)]
                q = powers[i] / sum(powers)
                total -= math.log(q if labels[n, 0][pixel] == i else 1 - q) / len(counted)
            segmentation += 0.5 * ((p > 0.5) - (p < 0.5) + 1) * total / slices
            there = any(labels[n, 0][pixel] == i for pixel in counted)
            if there or len(counted) == len(pixels):
                answers.setdefault(i, []).append(-math.log(p if there else 1 - p))
    return segmentation + weight * sum(sum(values) / len(values) for values in answers.values())


def test_equals_the_equation_in_plain_loops():
    case = random_slices()
    assert ClassifierGuidedLoss()(*case).item() == pytest.approx(by_loops(*case))
    assert ClassifierGuidedLoss(weight=2.0)(*case).item() == pytest.approx(by_loops(*case, weight=2.0))


def test_ignored_pixels_do_not_count_and_leave_absence_unknown():
    logits, presence, labels = random_slices()
    labels[:3, :, 0] = 9
    found = ClassifierGuidedLoss(ignore_label=9)(logits, presence, labels)
    assert found.item() == pytest.approx(by_loops(logits, presence, labels, ignored=9))
    labels[:] = 9
    assert ClassifierGuidedLoss(ignore_label=9)(logits, presence, labels).item() == 0


def test_the_gate_is_hard_with_one_half_on_the_border():
    presence = torch.tensor([-1e-3, 0.0, 1e-3], requires_grad=True)
    assert gate(presence).tolist() == [0, 0.5, 1]
    assert not gate(presence).requires_grad


def test_a_structure_that_the_classifier_does_not_see_teaches_the_segmentation_nothing():
    logits, presence, labels = random_slices()
    logits.requires_grad_()
    presence = torch.full_like(presence, -3.0)
    loss = ClassifierGuidedLoss()(logits, presence, labels)
    loss.backward()
    assert not logits.grad.any()
    # What is left is 0.1 times the cross-entropy of the presence, each the mean over the slices.
    there = torch.tensor([[(labels[n] == i).any() for i in (1, 2, 3)] for n in range(4)])
    expected = 0.1 * torch.where(there, 3 + math.log1p(math.exp(-3)), math.log1p(math.exp(-3))).mean(dim=0).sum()
    assert loss.item() == pytest.approx(expected.item())


def test_all_gates_open_teach_the_background_too():
    logits, presence, labels = random_slices()
    logits.requires_grad_()
    ClassifierGuidedLoss()(logits, torch.full_like(presence, 3.0), labels).backward()
    assert (logits.grad[:, 0].abs() > 0).all()


def test_certain_answers_stay_finite_in_value_and_gradient():
    labels = torch.tensor([0, 1, 2])[None, None, None]
    logits = torch.tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0], [-1e4, -1e4, 1e4]])[None, :, None].requires_grad_()
    loss = ClassifierGuidedLoss()(logits, torch.tensor([[1e4, 1e4]]), labels)
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert torch.isfinite(logits.grad).all()
    reference, valid = labels == torch.tensor([2, 1]).reshape(1, -1, 1, 1), torch.ones_like(labels, dtype=torch.bool)
    assert torch.isfinite(structure_cross_entropy(logits.detach(), reference, valid)).all()


def test_gradients_are_those_of_finite_differences():
    logits, presence, labels = random_slices(slices=2, size=(2, 2))
    logits.requires_grad_()
    presence.requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: ClassifierGuidedLoss()(a, b, labels), (logits, presence))


def test_training_escapes_from_a_start_at_which_nothing_is_seen():
    torch.manual_seed(0)
    labels = torch.zeros(6, 1, 8, 8, dtype=torch.long)
    labels[:4, :, 2:6, 2:6] = 1
    labels[2:5, :, 4:6, 4:6] = 2
    image = 2.0 * labels.double() + 0.1 * torch.randn(6, 1, 8, 8, dtype=torch.float64)
    pixels = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 1)).double()
    slices = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2)).double()
    nn.init.constant_(slices[2].bias, -5.0)
    statistics = torch.stack([image.mean(dim=(1, 2, 3)), image.amax(dim=(1, 2, 3))], dim=1)
    optimizer = torch.optim.Adam([*pixels.parameters(), *slices.parameters()], lr=0.02)
    loss, seen, errors = ClassifierGuidedLoss(), [], []
    for _ in range(400):
        logits, presence = pixels(image), slices(statistics)
        seen.append(int((presence > 0).sum()))
        errors.append(int((logits.argmax(dim=1, keepdim=True) != labels).sum()))
        optimizer.zero_grad()
        loss(logits, presence, labels).backward()
        optimizer.step()
    there = torch.stack([(labels == i).flatten(1).any(dim=1) for i in (1, 2)], dim=1)
    # At first nothing is seen and the segmentation stands still; then the classifier opens the gates by itself.
    assert seen[0] == 0
    assert len(set(errors[: next(k for k, count in enumerate(seen) if count)])) == 1
    assert torch.equal(slices(statistics) > 0, there)
    assert errors[-1] < errors[0] / 10
