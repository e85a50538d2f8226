"""Which settings made the difference: fANOVA over the trials of a sweep. What workers compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import optuna
from optuna.trial import TrialState, create_trial

from server.sweeps.space import distributions

FEWEST = 4  # trials; fewer tell nothing


def importances(
    space: Mapping[str, Mapping[str, Any]], trials: Sequence[Mapping[str, Any]], direction: Literal["minimize", "maximize"]
) -> dict[str, float] | None:
    """Share of the difference between trials that each setting explains, the largest first; they add up to 1.

    trials: those that went to their end, {"params", "value"}. None where they are too few, or all alike.
    """
    if len(trials) < FEWEST or len({trial["value"] for trial in trials}) < 2:
        return None
    # Here, since it brings scikit-learn's forests, for which no server that starts should wait.
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    known = distributions(space)
    study = optuna.create_study(direction=direction)
    study.add_trials(
        create_trial(state=TrialState.COMPLETE, params=dict(trial["params"]), distributions=known, value=trial["value"]) for trial in trials
    )
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: float(share) for name, share in found.items()}
