"""Computes with PyTorch the figures that tests/engine/test_optim_parity.py compares the optimizers and schedules with.

    pip install torch==2.13.0
    python scripts/make_optimizer_figures.py            # writes tests/fixtures/optim/steps.json
    python scripts/make_optimizer_figures.py --check    # recomputes, and fails where a stored figure differs

Three parameters in float64 go fifty steps. The gradient of each is p/2 + a_k, with a_k fixed beforehand; the third has none in the first
three steps. Every case is an optimizer with its settings, and may have groups, a schedule and clipping.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

FILE = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "optim" / "steps.json"
STEPS, SHOWN, SHAPES, LATE = 50, (1, 2, 10, 50), ((3, 2), (2,), (4,)), 3


def case(optimizer: str, schedule: str | None = None, clip: list[Any] | None = None, groups: list[dict[str, Any]] | None = None,
         arguments: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:  # fmt: skip
    """clip: ``["norm" | "value", limit]``. groups: settings of the first parameter, and of the other two. arguments: the schedule's."""
    return {"optimizer": optimizer, "settings": settings, "groups": groups, "schedule": schedule, "arguments": arguments, "clip": clip}


GROUPS = [{"lr": 0.05}, {"weight_decay": 0.02}]
CASES = {
    "sgd": case("SGD", lr=0.1),
    "sgd_decay": case("SGD", lr=0.1, weight_decay=0.05),
    "sgd_momentum": case("SGD", lr=0.1, momentum=0.9),
    "sgd_momentum_decay": case("SGD", lr=0.1, momentum=0.9, weight_decay=0.05),
    "sgd_dampening": case("SGD", lr=0.1, momentum=0.9, dampening=0.4, weight_decay=0.01),
    "sgd_nesterov": case("SGD", lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.01),
    "sgd_groups": case("SGD", groups=GROUPS, lr=0.1, momentum=0.9),
    "rmsprop": case("RMSprop", lr=0.02),
    "rmsprop_centered": case("RMSprop", lr=0.02, centered=True, alpha=0.9),
    "rmsprop_momentum": case("RMSprop", lr=0.02, momentum=0.7, weight_decay=0.03),
    "rmsprop_all": case("RMSprop", lr=0.02, momentum=0.7, weight_decay=0.03, centered=True, eps=1e-4),
    "rmsprop_groups": case("RMSprop", groups=GROUPS, lr=0.02),
    "adagrad": case("Adagrad", lr=0.1),
    "adagrad_all": case("Adagrad", lr=0.1, lr_decay=0.03, weight_decay=0.05, initial_accumulator_value=0.2, eps=1e-6),
    "adagrad_groups": case("Adagrad", groups=GROUPS, lr=0.1, lr_decay=0.1),
    "adam": case("Adam", lr=0.05),
    "adam_decay": case("Adam", lr=0.05, weight_decay=0.1, betas=[0.8, 0.95], eps=1e-6),
    "adam_amsgrad": case("Adam", lr=0.05, amsgrad=True, weight_decay=0.02),
    "adam_groups": case("Adam", groups=GROUPS, lr=0.03),
    "adamw": case("AdamW", lr=0.05, weight_decay=0.1),
    "adamw_amsgrad": case("AdamW", lr=0.05, weight_decay=0.1, amsgrad=True),
    "adamw_no_decay": case("AdamW", lr=0.05, weight_decay=0.0),
    "adamw_groups": case("AdamW", groups=GROUPS, lr=0.03),
    "clip_norm": case("AdamW", clip=["norm", 0.5], lr=0.05),
    "clip_value": case("SGD", clip=["value", 0.3], lr=0.1, momentum=0.9),
    "constant": case("SGD", "ConstantLR", arguments={"factor": 0.25, "total_iters": 7}, groups=GROUPS, lr=0.1),
    "step": case("SGD", "StepLR", arguments={"step_size": 8, "gamma": 0.5}, groups=GROUPS, lr=0.1),
    "exponential": case("AdamW", "ExponentialLR", arguments={"gamma": 0.93}, groups=GROUPS, lr=0.05),
    "cosine": case("AdamW", "CosineAnnealingLR", arguments={"T_max": 40, "eta_min": 0.001}, groups=GROUPS, lr=0.05),
    "cosine_wave": case("SGD", "CosineAnnealingLR", arguments={"T_max": 12}, lr=0.1),
    "linear": case("Adam", "LinearLR", arguments={"start_factor": 0.1, "end_factor": 0.8, "total_iters": 20}, groups=GROUPS, lr=0.05),
    "plateau": case("SGD", "ReduceLROnPlateau", arguments={"factor": 0.5, "patience": 2, "cooldown": 3, "min_lr": 0.004},
                    groups=GROUPS, lr=0.1),
    "plateau_max": case("RMSprop", "ReduceLROnPlateau", arguments={"mode": "max", "threshold_mode": "abs", "threshold": 0.01, "patience": 1,
                                                                    "min_lr": [0.001, 0.002]}, groups=GROUPS, lr=0.03),
    "warmup_linear": case("AdamW", "LinearWarmupLR", arguments={"warmup_iters": 10, "total_iters": 45, "start_factor": 0.1}, lr=0.05),
    "sequential": case("AdamW", "SequentialLR", arguments={"warmup": 10, "T_max": 40}, groups=GROUPS, lr=0.05),
}  # fmt: skip


def problem() -> dict[str, Any]:
    """Where the parameters start, the fixed parts of their gradients, and what the plateau schedule is told."""
    random = np.random.Generator(np.random.Philox(key=np.array([3, 0], dtype=np.uint64)))
    return {
        "late": LATE,
        "shown": list(SHOWN),
        "start": [random.standard_normal(shape).tolist() for shape in SHAPES],
        "pushes": [[random.standard_normal(shape).tolist() for shape in SHAPES] for _ in range(STEPS)],
        "metrics": [round(math.exp(-k / 6) + 0.05 * float(random.standard_normal()), 6) for k in range(STEPS)],
    }


def make_schedule(optimizer: torch.optim.Optimizer, name: str, arguments: dict[str, Any]) -> Any:
    """PyTorch's schedule of that name; the two that it has only in parts are put together."""
    schedulers = torch.optim.lr_scheduler
    if name == "LinearWarmupLR":
        warmup, total, start = arguments["warmup_iters"], arguments["total_iters"], arguments["start_factor"]

        def factor(epoch: int) -> float:
            rise = start + (1 - start) * epoch / warmup
            return rise if epoch < warmup else max(0.0, (total - epoch) / (total - warmup))

        return schedulers.LambdaLR(optimizer, factor)
    if name == "SequentialLR":
        parts = [schedulers.LinearLR(optimizer, 0.1, 1.0, arguments["warmup"]), schedulers.CosineAnnealingLR(optimizer, arguments["T_max"])]
        return schedulers.SequentialLR(optimizer, parts, [arguments["warmup"]])
    return getattr(schedulers, name)(optimizer, **arguments)


def run(given: dict[str, Any], setting: dict[str, Any]) -> dict[str, Any]:
    """Parameters after the steps that are shown, and the rates of every step."""
    params = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in given["start"]]
    parts: Any = params
    if setting["groups"]:
        first, others = setting["groups"]
        parts = [{"params": params[:1], **first}, {"params": params[1:], **others}]
    optimizer = getattr(torch.optim, setting["optimizer"])(parts, **setting["settings"])
    schedule = make_schedule(optimizer, setting["schedule"], setting["arguments"]) if setting["schedule"] else None
    rates, after = [], {}
    for k in range(STEPS):
        for i, (p, push) in enumerate(zip(params, given["pushes"][k], strict=True)):
            p.grad = None if i == 2 and k < given["late"] else 0.5 * p.detach() + torch.tensor(push, dtype=torch.float64)
        if setting["clip"] is not None:
            kind, limit = setting["clip"]
            getattr(torch.nn.utils, f"clip_grad_{kind}_")(params, limit)
        optimizer.step()
        rates.append([group["lr"] for group in optimizer.param_groups])
        if setting["schedule"] == "ReduceLROnPlateau":
            schedule.step(given["metrics"][k])
        elif schedule is not None:
            schedule.step()
        if k + 1 in SHOWN:
            after[str(k + 1)] = [p.detach().tolist() for p in params]
    return {"rates": rates if setting["schedule"] else rates[:1], "after": after}


def difference(a: Any, b: Any) -> float:
    """The largest absolute difference of two nested structures of numbers; infinite where they differ otherwise."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max((difference(a[key], b[key]) for key in a), default=0.0)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max(map(difference, a, b), default=0.0)
    if isinstance(a, float | int) and isinstance(b, float | int):
        return abs(a - b)
    return 0.0 if a == b else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored figures in place of writing them")
    check = parser.parse_args().check
    given = problem()
    found = {"torch": torch.__version__.split("+")[0], "problem": given,
             "cases": {name: {**setting, **run(given, setting)} for name, setting in CASES.items()}}  # fmt: skip
    if not check:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(json.dumps(found) + "\n")
        return
    stored = json.loads(FILE.read_text())
    worst = max(difference(stored["problem"], given), difference(stored["cases"], found["cases"]))
    print(f"{len(CASES)} cases: largest difference {worst:.3g}")
    if worst > 1e-12:
        raise SystemExit(f"{FILE.name} is not what PyTorch {torch.__version__} computes")


if __name__ == "__main__":
    main()
