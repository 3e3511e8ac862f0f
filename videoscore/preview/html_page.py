"""A film's timeline as one HTML file that needs nothing else: the picture, and what lies under the pointer."""

from __future__ import annotations

import html
import io
import json
import re
from typing import Any

from videoscore.mood.circle import MOODS
from videoscore.preview.picture import DPI, HIGH, WIDE, figure
from videoscore.preview.timeline import COLOURS, Timeline

HEADS = ("cue", "start", "end", "begins on", "mood", "valence", "arousal", "key", "bars", "tempo", "hits")

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1em auto; padding: 0 1em; max-width: 1400px;
  color: #111; background: #fff }}
#chart {{ position: relative }} #chart svg {{ width: 100%; height: auto; display: block }}
#line {{ position: absolute; top: 0; bottom: 0; width: 1px; background: #c00; pointer-events: none; display: none }}
h1 {{ font-size: 1.3em }} #told {{ min-height: 1.6em; font-variant-numeric: tabular-nums }}
table {{ border-collapse: collapse; width: 100% }} td, th {{ text-align: left; padding: .25em .6em }}
tr + tr {{ border-top: 1px solid #ddd }} .dot {{ display: inline-block; width: .8em; height: .8em; margin-right: .4em }}
</style></head><body>
<h1>{title}</h1>
<p id="told" aria-live="polite">Point at the timeline: time, mood, valence and arousal appear here.</p>
<div id="chart">{svg}<div id="line"></div></div>
{remarks}
<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
<script type="application/json" id="data">{data}</script>
<script>
const d = JSON.parse(document.getElementById("data").textContent);
const chart = document.getElementById("chart"), line = document.getElementById("line");
const told = document.getElementById("told");
function clock(t) {{ return Math.floor(t / 60) + ":" + (t % 60).toFixed(2).padStart(5, "0") }}
chart.addEventListener("pointermove", e => {{
  const box = chart.getBoundingClientRect(), x = (e.clientX - box.left) / box.width;
  const t = (x - d.left) / (d.right - d.left) * d.duration;
  const inside = t >= 0 && t <= d.duration;
  line.style.display = inside ? "block" : "none";
  if (!inside) return;
  line.style.left = 100 * x + "%";
  let k = d.t.findIndex(s => s > t); k = k < 0 ? d.t.length - 1 : Math.max(0, k - 1);
  const cue = d.cues.find(c => t < c.end) || d.cues[d.cues.length - 1];
  told.textContent = `${{clock(t)}}  ${{cue.name}}  ${{d.mood[k]}}, valence ${{d.valence[k].toFixed(2)}}, ` +
    `arousal ${{d.arousal[k].toFixed(2)}}, confidence ${{d.confidence[k].toFixed(2)}}`;
}});
chart.addEventListener("pointerleave", () => line.style.display = "none");
</script></body></html>
"""


def page(timeline: Timeline, title: str) -> str:
    """The whole file as text."""
    chart = figure(timeline)
    left, right = _span(chart)
    text = io.StringIO()
    chart.savefig(text, format="svg", dpi=DPI)
    svg = text.getvalue()
    svg = re.sub(
        r'width="[\d.]+pt" height="[\d.]+pt"',
        f'width="{WIDE * DPI:.0f}" height="{HIGH * DPI:.0f}"',
        svg[svg.index("<svg") :],
        count=1,
    )
    remarks = "".join(f"<p>{html.escape(r)}</p>" for r in timeline.analysis.remarks)
    rows = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in _row(cue))}</tr>"
        for cue in timeline.analysis.sheet.cues
    )
    return PAGE.format(
        title=html.escape(title),
        svg=svg,
        remarks=remarks,
        rows=rows,
        heads="".join(f"<th>{h}</th>" for h in HEADS),
        data=_data(timeline, left, right),
    )


def _span(chart: Any) -> tuple[float, float]:
    """Where time begins and ends, as shares of the picture's width."""
    box = chart.axes[0].get_position()
    return float(box.x0), float(box.x1)


def _row(cue: Any) -> list[str]:
    from videoscore.text.tables import clock, cue_row

    r = cue_row(cue)
    dot = f'<span class="dot" style="background:{COLOURS[cue.mood]}"></span>'
    return [
        html.escape(r["name"]),
        clock(r["start"]),
        clock(r["end"]),
        r["start_on"],
        dot + r["mood"],
        f"{r['valence']:+.2f}",
        f"{r['arousal']:+.2f}",
        html.escape(r["key"]),
        f"{r['bars']} of {r['beats']}/4",
        f"{r['bpm']:.1f}",
        str(r["hits"]),
    ]


def _data(timeline: Timeline, left: float, right: float) -> str:
    curve = timeline.analysis.curve
    data = {
        "duration": float(timeline.duration),
        "left": left,
        "right": right,
        "t": curve.t.round(3).tolist(),
        "mood": [MOODS[k] for k in curve.moods.argmax(1)],
        **{name: getattr(curve, name).round(3).tolist() for name in ("valence", "arousal", "confidence")},
        "cues": [{"name": c.name, "end": float(c.end)} for c in timeline.analysis.sheet.cues],
    }
    return json.dumps(data).replace("<", "\\u003c")  # a name may hold "</script>"
