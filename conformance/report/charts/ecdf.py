"""Empirical distributions as small multiples: one relay's curve in front, the others' behind it, on one axis.

The curve at a time is the share of samples that took no longer. Each curve is drawn once (`curve`) and used in every
picture of its row by its id.
"""

from collections.abc import Sequence

from markupsafe import Markup

from conformance.report.charts.axis import Axis
from conformance.report.quantiles import Quantile

WIDTH, HEIGHT = 300.0, 84.0
STEPS = 60  # of one curve; more samples are thinned, first and last kept


def curve(samples: Sequence[float], axis: Axis) -> str:
    """The path of one distribution, empty without samples."""
    ordered = sorted(samples)
    if not ordered:
        return ""
    ranks = _ranks(len(ordered))
    steps = (f"H{axis.x(ordered[rank - 1]):g}V{HEIGHT * (1 - rank / len(ordered)):.1f}" for rank in ranks)
    return f"M0 {HEIGHT:g}{''.join(steps)}H{axis.width:g}"


def _ranks(count: int) -> list[int]:
    if count <= STEPS:
        return list(range(1, count + 1))
    return sorted({1 + round(step * (count - 1) / (STEPS - 1)) for step in range(STEPS)})


def ecdf(own: str, others: Sequence[str], axis: Axis, median: Quantile | None, name: str) -> Markup:
    """The picture of one relay: `own` and `others` are ids of curves, `name` is what a screen reader says."""
    shown = Markup('<svg class="ecdf" viewBox="-4 -4 312 108" role="img" aria-label="{}">').format(name)
    shown += Markup('<path class="grid" d="M0 0H{0:g}M0 {1:g}H{0:g}"/>').format(WIDTH, HEIGHT / 2)
    shown += Markup('<path class="base" d="M0 {:g}H{:g}"/>').format(HEIGHT, WIDTH)
    shown += Markup('<text x="0" y="{:g}">50 %</text>').format(HEIGHT / 2 - 3)
    for x, text in axis.ticks:
        anchor = "start" if x < 8 else "end" if x > WIDTH - 8 else "middle"
        shown += Markup(
            '<path class="base" d="M{0:g} {1:g}v3"/><text x="{0:g}" y="{2:g}" text-anchor="{3}">{4}</text>'
        ).format(x, HEIGHT, HEIGHT + 15, anchor, text)
    if median is not None and median.low is not None and median.high is not None:
        start, end = axis.x(median.low), axis.x(median.high)
        shown += Markup('<rect class="span" x="{:g}" y="0" width="{:g}" height="{:g}"/>').format(
            start, max(end - start, 1), HEIGHT
        )
    for other in others:
        shown += Markup('<use class="other" href="#{}"/>').format(other)
    shown += Markup('<use class="own" href="#{}"/>').format(own)
    if median is not None:
        x = axis.x(median.value)
        shown += Markup('<circle class="dot" cx="{:g}" cy="{:g}" r="3"/>').format(x, HEIGHT / 2)
    return shown + Markup("</svg>")
