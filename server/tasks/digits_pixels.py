"""The same handwritten digits, one pixel a step: sixty-four steps from the top left to the bottom right."""

from __future__ import annotations

from server.tasks.base import Examples, Suggestion, Text
from server.tasks.digits import Digits


class DigitsByPixels(Digits):
    """Image, read as one line of pixels -> digit."""

    name = "digits-pixels"
    title = Text("Image pixels → digit", "图像像素 → 数字")
    features = ("pixel",)
    suggested = Suggestion("gru", 32, steps=2000)

    def __init__(self) -> None:
        super().__init__()
        self.parts = {part: _in_a_line(rows) for part, rows in self.parts.items()}


def _in_a_line(rows: Examples) -> Examples:
    n = len(rows)
    return Examples(rows.inputs.reshape(n, -1, 1).copy(), rows.lengths * rows.inputs.shape[2], rows.targets.copy())
