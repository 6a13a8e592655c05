"""Small pictures of one entry, as SVG: where its bytes are, and what its weights are like."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

BAR_WIDTH = 1000.0
BAR_HEIGHT = 56.0
TINTS = 6  # colours of the style sheet that the parts take in turn


def ledger_svg(arrays: Sequence[dict[str, Any]]) -> str:
    """One bar as long as the file, a part for each array; the table below it has the same colours, and the numbers."""
    total = sum(row["bytes"] for row in arrays) or 1.0
    parts, left = [], 0.0
    for place, row in enumerate(arrays):
        width = BAR_WIDTH * row["bytes"] / total
        name = f"{row['layer']} {row['array']}".strip()
        title = f"{name}: {row['bytes']:,.1f} bytes, {100 * row['bytes'] / total:.1f} %"
        parts.append(
            f'<rect class="tint{place % TINTS}" x="{left:.1f}" y="0" width="{max(width - 1.5, 0.8):.1f}" '
            f'height="{BAR_HEIGHT:g}"><title>{escape(title)}</title></rect>'
        )
        left += width
    size = f'viewBox="0 0 {BAR_WIDTH:g} {BAR_HEIGHT:g}" preserveAspectRatio="none"'
    return f'<svg {size} aria-hidden="true">{"".join(parts)}</svg>'


def histogram_svg(counts: Sequence[int], limit: float) -> str:
    """How often each size of weight occurs; the height is the square root of the count, so that few are seen."""
    width, height = 240.0, 96.0
    step = width / len(counts)
    most = max(counts) or 1
    bars = "".join(
        f"M{place * step + 0.5:.1f} {height:g}v{-(height - 6) * (count / most) ** 0.5:.1f}"
        f"h{step - 1:.1f}v{(height - 6) * (count / most) ** 0.5:.1f}z"
        for place, count in enumerate(counts)
        if count
    )
    ends = (
        f'<text x="0" y="{height + 15:g}">-{limit:g}</text>'
        f'<text x="{width / 2:g}" y="{height + 15:g}" text-anchor="middle">0</text>'
        f'<text x="{width:g}" y="{height + 15:g}" text-anchor="end">{limit:g}</text>'
    )
    base = f'<path class="axis" d="M0 {height:g}H{width:g}"/>'
    return (
        f'<svg viewBox="0 0 {width:g} {height + 20:g}" aria-hidden="true"><path class="fill" d="{bars}"/>'
        f"{base}{ends}</svg>"
    )
