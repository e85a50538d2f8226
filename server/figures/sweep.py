"""Figures of a sweep."""

from __future__ import annotations

from collections.abc import Mapping

from server.figures.style import BLUE, go, lay_out, note, plain_text, to_json
from server.figures.words import Language, words


def importance_figure(importances: Mapping[str, float] | None, language: Language) -> str:
    """One bar a setting, the most important at the top; None: nothing is known yet, which the figure says."""
    say, figure = words(language), go.Figure()
    if importances is None:
        note(figure, say["too_few_trials"])
    else:
        names = list(importances)[::-1]
        shares = [importances[name] for name in names]
        figure.add_bar(
            x=shares, y=[plain_text(name) for name in names], orientation="h", marker={"color": BLUE},
            text=[f"{share:.0%}" for share in shares], hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )  # fmt: skip
    lay_out(figure, say["importance"], "", hovermode="closest", xaxis={"range": [0, 1.08], "tickformat": ".0%"}, yaxis={"automargin": True})
    return to_json(figure)
