"""The picture of the adding problem: validation error by step, one line a cell, drawn from a real run as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.learning import LONG, SOLVED, Point

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 64, 90, 44, 48
COLOURS = {"rnn": "#b3261e", "gru": "#1b6e3c", "lstm": "#1f5fbf"}
LOW, HIGH = -4, 0  # powers of ten


def figure(curves: Mapping[str, Sequence[Point]]) -> str:
    """An SVG with its own ground, so that it is read on light and dark pages alike."""
    last = max(point.step for points in curves.values() for point in points)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last

    def y(error: float) -> float:
        power = min(HIGH, max(LOW, math.log10(error) if error > 0 else LOW))
        return TOP + (HEIGHT - TOP - BOTTOM) * (HIGH - power) / (HIGH - LOW)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" role="img">',
        f"<title>Adding problem, {LONG} steps: validation error of RNN, LSTM and GRU</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff"/>',
        f'<text x="{LEFT}" y="26" font-weight="bold">Two marked numbers of {LONG}, their sum: the RNN fails, LSTM and GRU learn it</text>',
    ]
    for power in range(LOW, HIGH + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#444">{10.0**power:g}</text>')
    for step in range(0, last + 1, 500):
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="#444">{step:,}</text>')
    parts.append(f'<text x="{x(last / 2):.1f}" y="{HEIGHT - 10}" text-anchor="middle" fill="#444">training steps</text>')
    parts.append(f'<text transform="rotate(-90)" x="{-y(0.01):.1f}" y="16" text-anchor="middle" fill="#444">validation MSE</text>')
    parts.append(f'<path d="M{LEFT} {y(SOLVED):.1f}H{WIDTH - RIGHT}" stroke="#444" stroke-dasharray="5 4"/>')
    ends: list[float] = []
    for cell, points in sorted(curves.items(), key=lambda item: y(item[1][-1].score)):
        line = "L".join(f"{x(point.step):.1f} {y(point.score):.1f}" for point in points)
        parts.append(f'<path d="M{line}" fill="none" stroke="{COLOURS[cell]}" stroke-width="2"/>')
        end = max([y(points[-1].score) + 4, *(other + 16 for other in ends[-1:])])
        ends.append(end)
        parts.append(
            f'<text x="{x(points[-1].step) + 8:.1f}" y="{end:.1f}" fill="{COLOURS[cell]}" font-weight="bold">{cell.upper()}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
