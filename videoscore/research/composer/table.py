"""The composer's figures as text."""

from __future__ import annotations

from collections.abc import Iterator

from videoscore.research.composer.hit_rates import CHANCE, JUDGES

NAME = 34


def lines(report: dict) -> Iterator[str]:
    """The report of `videoscore.research.composer.evaluate.evaluate`, a line at a time."""
    yield from _corners(report)
    yield ""
    yield from _moods(report)
    yield ""
    yield from _following(report)
    yield ""
    yield from _texture(report)
    yield ""
    yield from _copies(report)
    yield ""
    yield from _cost(report)


def _row(name: str, judge: str, values: list[float]) -> str:
    return f"{name:{NAME}}{judge:12}" + "".join(f"{v:9.2f}" for v in values)


def _ceilings() -> Iterator[str]:
    from videoscore.music.tagger import Tagger

    for judge in JUDGES:
        ceiling = Tagger.load(judge).ceiling
        if ceiling:
            yield _row(
                "real songs it did not see", judge, [ceiling[k] for k in ("arousal", "valence", "quadrant")]
            )


def _corners(report: dict) -> Iterator[str]:
    fields = ("arousal", "valence", "quadrant")
    yield f"{report['cues']} cues of {report['seconds']} s at the corners of valence and arousal, seed {report['seed']}"
    yield f"{'':{NAME}}{'judge':12}" + "".join(f"{f:>9}" for f in fields)
    for name, entry in report["corners"].items():
        for judge in JUDGES:
            yield _row(name, judge, [entry[judge][f] for f in fields])
    yield _row("chance", "", [CHANCE[f] for f in fields])
    yield from _ceilings()


def _moods(report: dict) -> Iterator[str]:
    yield f"{report['cues for moods']} cues at the centres of the eight moods"
    yield f"{'':{NAME}}{'judge':12}{'arousal':>9}{'valence':>9}{'quadrant':>9}{'octant':>9}{'+-1':>9}"
    for name, entry in report["moods"].items():
        for judge in JUDGES:
            yield _row(name, judge, [entry[judge][f] for f in CHANCE])
    yield _row("chance", "", list(CHANCE.values()))
    for mood, m in report["by mood"].items():
        yield (
            f"  asked for {mood:12} heard at ({m['valence']:+.2f}, {m['arousal']:+.2f}); its octant "
            f"{m['octant']:.2f}, or its neighbour {m['octant or its neighbour']:.2f}"
        )


def _following(report: dict) -> Iterator[str]:
    yield f"{report['pieces']} pieces of 60 to 90 s whose mood ramps or steps: correlation within the piece"
    yield f"{'':{NAME}}{'judge':12}{'axis':9}{'r':>6}{'+-':>6}{'shuffled':>10}{'pieces':>8}  by kind"
    for way, entry in report["following"].items():
        for judge in JUDGES:
            for axis, f in entry[judge].items():
                kinds = ", ".join(f"{k} {r:.2f}" for k, r in f["kinds"].items())
                yield (
                    f"{way:{NAME}}{judge:12}{axis:9}{f['correlation']:6.2f}{f['error']:6.2f}{f['chance']:10.2f}"
                    f"{f['pieces']:8}  {kinds}"
                )


def _texture(report: dict) -> Iterator[str]:
    texture = report.get("texture")
    if texture:
        yield (
            f"{'median (5 % .. 95 %)':{NAME}}{'written':>26}{'held-out real music':>26}{'overlap':>9}"
            f"{'real with real':>16}"
        )
        for name, t in texture.items():
            spans = "".join(
                f"{t[p + 'median']:10.2f} ({t[p + '5 %']:5.2f} ..{t[p + '95 %']:6.2f})" for p in ("", "real ")
            )
            yield f"{name:{NAME}}{spans}{t['overlap']:9.2f}{t['real overlap']:16.2f}"
    for key, name in (("stuck", "written"), ("stuck in real music", "real")):
        if key in report:
            s = report[key]
            yield (
                f"identical bars in a row, {name}: at most {s['most']:.0f}; more than four in "
                f"{s['more than four']:.1%} of the passages"
            )
    corners = ", ".join(f"{k} {d['median']:.1f} (most {d['most']:.1f})" for k, d in report["density"].items())
    yield f"notes a second at (valence, arousal), drums too: {corners}"


def _copies(report: dict) -> Iterator[str]:
    if "copies" not in report:
        yield "no corpus given: not compared with real music, and not searched for copies"
        return
    fields = ("median", "95 %", "worst", "16 or more")
    yield "longest run of notes shared with a training piece, in any key and tempo"
    yield f"{'':{NAME}}{'':12}" + "".join(f"{f:>11}" for f in fields)
    for line, entry in report["copies"].items():
        for whose, s in entry.items():
            yield f"{line:{NAME}}{whose:12}" + "".join(
                f"{s[f]:11.1%}" if f == "16 or more" else f"{s[f]:11.0f}" for f in fields
            )


def _cost(report: dict) -> Iterator[str]:
    pace = report["pace"]
    yield f"seconds of music a second on one core: {pace:.0f}, {report['together']:.0f} over many cues"
    m = report["memory"]
    if m:
        yield (
            f"{report['long'] / 60:.1f} minutes of music in 20 cues: {m['peak']:.0f} MB at most "
            f"({m['after four seconds of music']:.0f} MB after four seconds), written in {m['seconds']:.0f} s"
        )
