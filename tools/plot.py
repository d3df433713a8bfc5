# SPDX-License-Identifier: GPL-2.0
"""Draws plots of measurements as SVG."""

import html
import math
from pathlib import Path

WIDTH, HEIGHT = 340, 260
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 30, 44
LETTER = 7
COLOURS = '#1b6ca8', '#c8553d', '#4a9b5c', '#8d6a9f'
HEAD = ('<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" '
        'viewBox="0 0 {0} {1}" font-family="sans-serif" font-size="11">\n'
        '<rect width="100%" height="100%" fill="white"/>')


Series = dict[str, dict[int, float]]
Labels = dict[int, str]
Panel = tuple[str, Series, Labels, str]


def text(x: float, y: float, words: str, anchor: str = 'middle', **attributes: str) -> str:
    extra = ''.join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>'
            f'{html.escape(words)}</text>')


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def short(number: float) -> str:
    """12000 as 12k."""
    for unit, size in ('G', 1e9), ('M', 1e6), ('k', 1e3):
        if number >= size:
            return f'{number / size:.3g}{unit}'
    return f'{number:.3g}'


class Log:
    """A logarithmic scale from the values onto pixels."""

    def __init__(self, values: list[float], first: float, last: float) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.first, self.last = first, last

    def __call__(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.first + part * (self.last - self.first)

    def ticks(self) -> list[float]:
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def panel(left: int, title: str, series: Series, labels: Labels, unit: str) -> list[str]:
    """One diagram: series is {name: {x: y}}, labels is {x: text}; both axes logarithmic."""
    xs = sorted(labels)
    ys = [y for points in series.values() for y in points.values()]
    down = Log(ys, HEIGHT - BOTTOM, TOP)
    step = (WIDTH - LEFT - RIGHT) / max(len(xs) - 1, 1)
    across = {x: left + LEFT + step * index for index, x in enumerate(xs)}

    svg = [text(left + LEFT, 18, title, 'start', font_weight='bold'),
           text(left + WIDTH - RIGHT, 18, unit, 'end', fill='#666')]
    for tick in down.ticks():
        svg += [line(left + LEFT, down(tick), left + WIDTH - RIGHT, down(tick), '#ddd'),
                text(left + LEFT - 6, down(tick) + 4, short(tick), 'end')]
    svg += [text(across[x], HEIGHT - BOTTOM + 16, labels[x]) for x in xs]
    legend = left + LEFT
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = ' '.join(f'{across[x]:.1f},{down(y):.1f}' for x, y in sorted(points.items()))
        svg.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        svg += [f'<circle cx="{across[x]:.1f}" cy="{down(y):.1f}" r="2.5" fill="{colour}"/>'
                for x, y in points.items()]
        svg.append(text(legend, HEIGHT - 8, name, 'start', fill=colour))
        legend += LETTER * len(name) + 8
    return svg


def write(path: Path, panels: list[Panel]) -> None:
    """Panels (title, series, labels, unit) side by side."""
    svg = [HEAD.format(WIDTH * len(panels), HEIGHT)]
    for index, arguments in enumerate(panels):
        svg += panel(WIDTH * index, *arguments)
    path.write_text('\n'.join([*svg, '</svg>']) + '\n')
