"""What a client takes, as its Accept header says it (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence


def preferred(header: str, offered: Sequence[str]) -> str | None:
    """Of the media types offered, the one that the header gives the greatest weight; the first of equals. None where it takes none.

    Without a header anything is taken. What is written more exactly counts: `*/*;q=0.1, text/*` takes text before anything else.
    """
    if not header.strip():
        return offered[0]
    ranges = [_range(part) for part in header.lower().split(",")]
    weights = {media_type: _weight(media_type, ranges) for media_type in offered}
    best = max(offered, key=lambda media_type: weights[media_type])
    return best if weights[best] > 0 else None


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip() for piece in part.split(";"))
    given = next((parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return media_range, min(1.0, max(0.0, float(given)))
    except ValueError:
        return media_range, 0.0


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    known = dict(reversed(ranges))  # the first of those that stand twice
    for media_range in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if media_range in known:
            return known[media_range]
    return 0.0
