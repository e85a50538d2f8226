"""Where a network program starts, where that is not its seed's initial network: a trained one of the server's, or parameters it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safetensors.numpy import load

from engine.nearest import near
from engine.ops.op import Array
from engine.told import Told
from engine.trace.arena import encode
from engine.training import Settings
from engine.training.checkpoint import start_from
from engine.training.model import SequenceModel
from server import checkpoints
from server.programs.errors import ProgramError
from server.programs.uploaded import those_there_are
from server.schemas.graph import to_array
from server.tasks import ArrayTask
from server.uploads.bounds import called

_START = "/program/start"
_POINTER = f"{_START}/checkpoint"


def normalised_start(program: Mapping[str, Any]) -> dict[str, Any]:
    """`start` as it stands in the program of a trace, by its name or with its numbers; nothing where the seed decides.

    Raises ProgramError for a checkpoint that there is not, or of other numbers than today's.
    """
    start = program.get("start")
    if start is None:
        return {}
    if "parameters" in start:
        return {"start": {"parameters": {name: encode(array) for name, array in _given(start["parameters"]).items()}}}
    name, known = start["checkpoint"], checkpoints.index()
    if name not in known:
        names = ", ".join(known)
        raise ProgramError(Told(f"there is no such checkpoint; they are {names}", "checkpoint-unknown", known=names), _POINTER)
    version = known[name]["version"]
    if start.get("version") not in (None, version):
        changed = f"the checkpoint {name} has changed since this program was made: it is version {version} now"
        detail = f"{changed}, and what it showed cannot be computed again; make a new one, without `version`"
        raise ProgramError(Told(detail, "checkpoint-changed", name=name), "/program/start/version")
    return {"start": {"checkpoint": name, "version": version}}


def initial(program: Mapping[str, Any], task: ArrayTask, settings: Settings) -> bytes | None:
    """The checkpoint of step 0 of the program's training; None where its seed draws the parameters.

    Raises ProgramError for what `normalised_start` does, and for parameters of another network than the program's.
    """
    start = normalised_start(program).get("start")
    if start is None:
        return None
    if "parameters" in start:
        given = _given(start["parameters"])
        _check_fit(given, task, settings)
        return start_from(task, settings, given)
    name = start["checkpoint"]
    made = checkpoints.index()[name]["program"]
    try:
        return start_from(task, settings, load(checkpoints.parameters(name)))
    except ValueError:
        was = f"{name} is of the cell {made['cell']} with hidden size {made['hidden_size']}, learning {made['task']}"
        here = f"this program's network is of the cell {settings.cell} with hidden size {settings.hidden_size}, learning {task.name}"
        words = f"{was}; {here}: give the program the same network, or leave start out"
        told = Told(words, "checkpoint-other", name=name, cell=made["cell"], hidden=made["hidden_size"], task=made["task"])
        raise ProgramError(told, _POINTER) from None


def _given(parameters: Mapping[str, Any]) -> dict[str, Array]:
    """Arrays of checked values, as networks have them: float64."""
    return {name: to_array(value, None).astype("float64") for name, value in parameters.items()}


def _check_fit(given: Mapping[str, Array], task: ArrayTask, settings: Settings) -> None:
    """Raises ProgramError where names or shapes are not the network's."""
    wanted = {name: array.shape for name, array in SequenceModel(task, settings).state_dict().items()}
    for number, (name, array) in enumerate(given.items()):
        if name not in wanted:
            detail = f"{called(name, number)} is no parameter of this network; {those_there_are(name, wanted)}"
            raise ProgramError(Told(detail, "parameter-unknown", number=number, nearest=near(name, wanted)), _START)
        if array.shape != wanted[name]:
            shape, own = str(list(array.shape)), str(list(wanted[name]))
            shapes = f"{name} has shape {shape}; this network's has {own}"
            words = f"{shapes}: see that cell, layers, hidden_size and task are those that it was trained with"
            raise ProgramError(Told(words, "parameter-shape", name=name, given=shape, wanted=own), _START)
    missing = [name for name in wanted if name not in given]
    if missing:
        names = ", ".join(missing)
        words = f"the network's parameters {names} are missing; give all of them"
        raise ProgramError(Told(words, "parameter-missing", names=names), _START)
