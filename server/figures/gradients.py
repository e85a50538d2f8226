"""Figures of the gradients of a trace: through time, itemised, by magnitude."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from engine.trace import Document, itemise
from engine.trace.bptt import uses as uses_of
from server.figures.style import BLUE, COLOURS, GREY, go, lay_out, note, plain_text, to_json, with_gaps
from server.figures.words import Language, words

Of = Literal["loss", "jacobian"]
_BINS = 10  # a decade


class NoFigureError(ValueError):
    """The trace has nothing that the figure would show."""


def recurrent(document: Document, row: int | None, cell: str | None = None) -> dict[str, Any]:
    """What `itemise` says of a trace. Raises what it does, and NoFigureError for a trace without a recurrence."""
    answer = itemise(document, row, scope=cell)
    if not answer["times"]:
        raise NoFigureError("the trace has no recurrence; its nodes carry no states h at time steps")
    return answer


def through_time(answer: dict[str, Any], language: Language) -> str:
    """‖dL/dh_t‖ (and of c) at every step, beside ‖dh_T/dh_t‖: how much of a gradient arrives so far back. Logarithmic."""
    text = words(language)
    figure = go.Figure()
    for name, colour in zip(answer["states"], COLOURS, strict=False):
        norms = with_gaps(map(float, answer["state_norms"][name]), above_zero=True)
        figure.add_scatter(x=answer["times"], y=norms, mode="lines+markers", name=f"‖∂L/∂{name}<sub>t</sub>‖", line={"color": colour})
    last = answer["jacobian_norms"][-1]
    end = answer["times"][len(last) - 1]
    figure.add_scatter(
        x=answer["times"][: len(last)], y=with_gaps(map(float, last), above_zero=True), mode="lines+markers",
        name=f"‖∂{_state(answer)}<sub>{end}</sub>/∂{_state(answer)}<sub>t</sub>‖", line={"color": GREY, "dash": "dot"},
    )  # fmt: skip
    lay_out(figure, text["time_step"], text["norm"], yaxis={"type": "log", "exponentformat": "power"}, xaxis={"dtick": _spacing(answer)})
    return to_json(figure)


def matrix(answer: dict[str, Any], of: Of, language: Language) -> str:
    """For every pair of steps log₁₀ ‖dL_t/dh_s‖, or that of the Jacobian ‖dh_t/dh_s‖."""
    text = words(language)
    count = len(answer["times"])
    norms = np.zeros((count, count))
    for t, reached in enumerate(answer["loss_norms"]["h"] if of == "loss" else answer["jacobian_norms"]):
        norms[t, : len(reached)] = [float(norm) for norm in reached]
    with np.errstate(all="ignore"):
        z = [with_gaps(values) for values in np.log10(norms)]
    name = "‖∂L<sub>t</sub>/∂h<sub>s</sub>‖" if of == "loss" else f"‖∂{_state(answer)}<sub>t</sub>/∂{_state(answer)}<sub>s</sub>‖"
    figure = go.Figure()
    figure.add_heatmap(
        x=answer["times"], y=answer["times"], z=z, colorscale="Viridis", colorbar={"title": {"text": f"{text['logarithm']} {name}"}},
        hovertemplate="t = %{y}, s = %{x}: 10<sup>%{z:.2f}</sup><extra></extra>",
    )  # fmt: skip
    later = text["read_at"] if of == "loss" else text["later_state"]
    lay_out(figure, text["state_at"], later, hovermode="closest", yaxis={"autorange": "reversed"})
    return to_json(figure)


def uses(document: Document, parameter: int, language: Language) -> str:
    """What each time step's uses of a parameter add to the norm of its gradient: bars that add up to it."""
    text = words(language)
    about = _itemised(document, parameter)
    steps = about["steps"]
    x = [text["outside_time"] if step["time"] is None else step["time"] for step in steps]
    figure = go.Figure()
    figure.add_bar(x=x, y=with_gaps(float(step["bar"]) for step in steps), marker={"color": BLUE}, name="⟨G<sub>t</sub>, G⟩ / ‖G‖")
    lay_out(figure, text["time_step"], text["share"])
    note(figure, text["uses_sum"].format(parameter=plain_text(about["path"]), norm=f"{float(about['norm']):.4g}"))
    return to_json(figure)


def histogram(document: Document, language: Language) -> str:
    """How many elements of each parameter's gradient are of which magnitude; the bins are tenths of a decade."""
    text = words(language)
    gradients = {node["path"]: document.gradient(node["id"]) for node in document.nodes if node["role"] == "parameter"}
    magnitudes = {path: np.abs(g.astype(np.float64).ravel()) for path, g in gradients.items() if g is not None}
    if not magnitudes:
        raise NoFigureError("the trace has no parameter with a gradient")
    shown = {path: values[np.isfinite(values) & (values > 0)] for path, values in magnitudes.items()}
    logarithms = np.log10(np.concatenate(list(shown.values())))
    low, high = (np.floor(logarithms.min()), np.floor(logarithms.max()) + 1) if logarithms.size else (-1.0, 0.0)
    edges = np.linspace(low, high, round((high - low) * _BINS) + 1)
    figure = go.Figure()
    for (path, values), colour in zip(shown.items(), _repeated(len(shown)), strict=True):
        counts, _ = np.histogram(np.log10(values), edges)
        figure.add_scatter(
            x=(10 ** ((edges[:-1] + edges[1:]) / 2)).tolist(), y=counts.tolist(), mode="lines", line={"shape": "hvh", "color": colour},
            name=plain_text(path),
        )  # fmt: skip
    lay_out(figure, text["magnitude"], text["elements"], xaxis={"type": "log", "exponentformat": "power"}, yaxis={"rangemode": "tozero"})
    zeros = sum(int((values == 0).sum()) for values in magnitudes.values())
    nonfinite = sum(int((~np.isfinite(values)).sum()) for values in magnitudes.values())
    if zeros or nonfinite:
        note(figure, text["left_out"].format(zeros=zeros, nonfinite=nonfinite))
    return to_json(figure)


def _itemised(document: Document, parameter: int) -> dict[str, Any]:
    """The uses of a parameter. Raises NoFigureError for a node that is none, or has no gradient."""
    node = document.nodes[parameter]
    if node["role"] != "parameter" or node["gradient"] is None:
        raise NoFigureError("this node is no parameter with a gradient")
    return uses_of(document, parameter)


def _state(answer: dict[str, Any]) -> str:
    return "h" if len(answer["states"]) == 1 else f"({','.join(answer['states'])})"


def _spacing(answer: dict[str, Any]) -> int:
    return max(1, len(answer["times"]) // 20)


def _repeated(count: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(count)]
