"""The live page: what the camera shows, what is heard, and the consent before either."""

from __future__ import annotations

from html import escape

from nicegui import ui

from videoscore.mood.faces.emotions import EMOTIONS

CONSENT = (
    "The studio looks at your face through the camera, says which emotion it reads there, and plays music of your "
    "library that goes with it. The pictures go from this page to the studio on this machine, are looked at, and are "
    "forgotten: nothing is recorded, and nothing leaves the machine."
)
SCRIPT = '<script type="module" src="/studio/static/live.js"></script>'


def live_page() -> None:
    """Put it on the page."""
    ui.add_head_html(SCRIPT)
    bars = "".join(
        f'<div class="live-bar" data-emotion="{e}"><span class="word">{e}</span>'
        f'<span class="track"><i></i></span><span class="num">–</span></div>'
        for e in EMOTIONS
    )
    choices = "".join(f'<button type="button" data-choose="{e}">{e}</button>' for e in EMOTIONS)
    ui.html(
        f"""
<main class="live">
  <h1>Live</h1>
  <section class="panel live-consent">
    <p>{escape(CONSENT)}</p>
    <button type="button" class="live-on">Turn the camera on</button>
  </section>
  <p class="live-words" role="status" aria-live="polite"></p>
  <section class="live-running" hidden>
    <div class="panel">
      <p class="live-sign"><span class="dot"></span> Camera on
        <button type="button" class="live-off">Turn it off</button></p>
      <video class="live-video" muted playsinline></video>
    </div>
    <div class="panel">
      <h2 class="heading">Emotion</h2>
      <p class="live-emotion"></p>
      {bars}
      <h2 class="heading">Music</h2>
      <p class="live-piece"></p>
      <p class="quiet live-next"></p>
      <button type="button" class="live-skip">Next piece</button>
    </div>
    <div class="panel live-ask" hidden role="dialog" aria-label="What do you want to hear?">
      <p>Five pieces in a row met another emotion than theirs. What do you want to hear?</p>
      {choices}
      <button type="button" data-choose="">what the camera shows</button>
    </div>
    <p class="quiet live-choice"></p>
  </section>
</main>""",
        sanitize=False,
    )
