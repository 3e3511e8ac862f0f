// The page's part that has to be quick: picture and sound, timeline, list of cues, keys. The server decides everything
// else; it calls `studio.film`, `studio.now` and the like, and is told of what was done by the event "studio".

import { CueList } from "./cuelist.js";
import { clock } from "./draw.js";
import { listen } from "./keys.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";

const $ = (name) => document.querySelector(name);
const tell = (what) => emitEvent("studio", what);
const MODES = ["score", "music", "film"];

class Studio {
  constructor() {
    this.facts = null;
    this.state = null;
    this.chosen = 0;
    this.other = null;          // the take that was heard before
    this.player = new Player($("video.studio-video"), () => this.tick());
    this.timeline = new Timeline($("canvas.studio-timeline"), $(".studio-tip"), (w) => this.did(w), (t) => this.seek(t));
    this.list = new CueList($(".studio-cues"), (w) => this.did(w), (t) => this.seek(t));
    this.player.video.addEventListener("error", () => this.unplayable());
    this.player.video.addEventListener("loadedmetadata", () => { if (!this.player.video.videoWidth) this.unplayable(); });
    this.player.video.addEventListener("click", () => this.player.toggle());
    listen(this.actions());
  }

  // ------------------------------------------------------------ from the server

  film(facts) {
    this.facts = facts;
    this.timeline.open(facts);
    this.timeline.wish();
    this.source(facts.source);
  }

  // The file that is played: the film, or a copy that this browser can play; null while that is made.
  source(url) {
    if (url && url !== this.url) { this.url = url; this.player.open(this.facts, url); }
  }

  now(state) {
    const before = this.state;
    this.state = state;
    this.timeline.now = state;
    this.chosen = Math.min(this.chosen, state.cues.length - 1);
    const numbers = state.takes.map((t) => t.number);
    this.player.keep(numbers);
    if (before && before.take !== state.take) this.other = before.take;
    this.player.hear(numbers.includes(state.take) ? state.take : null, this.player.mode);
    if (state.take !== null && this.peaksOf !== state.take) this.fetchPeaks(state.take);
    if (state.take === null) { this.peaksOf = null; this.timeline.peaks = null; }
    this.show();
  }

  select(number) {
    this.chosen = number;
    this.show();
  }

  mode(name) {
    this.player.hear(this.player.take, name);
  }

  loop(on) { this.looping = on; this.show(); }

  volume(share) { this.player.volume = share; this.player.volumes(); }

  // ------------------------------------------------------------ within

  show() {
    if (!this.facts || !this.state) return;
    this.timeline.chosen = this.chosen;
    this.list.show(this.facts, this.state, this.chosen);
    const cue = this.state.cues[this.chosen];
    this.player.loop = this.looping && cue ? [cue.start, cue.end] : null;
    this.timeline.wish();
    this.tick();
  }

  tick() {
    if (!this.facts) return;
    const { player } = this, t = player.time;
    this.timeline.at(t, player.playing);
    const frame = Math.floor(t / this.facts.frame + 0.01) % Math.max(1, Math.round(1 / this.facts.frame));
    $(".studio-clock").textContent = `${clock(Math.floor(t * 100 + 0.01) / 100)} / ${clock(this.facts.duration)}`;
    $(".studio-frame").textContent = `f${String(frame).padStart(2, "0")}`;
    const icon = player.rate ? "pause" : "play_arrow";
    if (icon !== this.icon) {
      this.icon = icon;
      const button = $(".studio-play");
      button.querySelector(".q-icon").textContent = icon;
      button.setAttribute("aria-label", player.rate ? "Pause" : "Play");
    }
    const rate = player.rate && player.rate !== 1 ? `${player.rate}×`.replace("-", "−") : "";
    if (rate !== this.rate) { this.rate = rate; $(".studio-rate").textContent = rate; }
  }

  did(what) {
    if (what.do === "select") this.select(what.number);
    tell(what);
  }

  seek(t) { this.player.seek(t); }

  cue(step) {
    const t = this.player.time, cues = this.state?.cues ?? [];
    const starts = [...cues.map((c) => c.start), this.facts.duration];
    const to = step > 0 ? starts.find((s) => s > t + 0.02) : starts.findLast((s) => s < t - 0.02);
    this.seek(to ?? (step > 0 ? this.facts.duration : 0));
    const number = cues.findLastIndex((c) => c.start <= (to ?? 0) + 1e-3);
    if (number >= 0) this.did({ do: "select", number });
  }

  actions() {
    const { player, timeline } = this;
    return {
      toggle: () => player.toggle(), pause: () => player.pause(), fast: () => player.shuttle(1),
      reverse: () => player.shuttle(-1),
      back: (far) => (far ? this.seek(player.time - 1) : player.frames(-1)),
      forward: (far) => (far ? this.seek(player.time + 1) : player.frames(1)),
      before: () => this.cue(-1), after: () => this.cue(1),
      home: () => this.seek(0), end: () => this.seek(this.facts.duration),
      split: () => this.split(), again: () => tell({ do: "again" }), other: () => this.swap(),
      listen: () => tell({ do: "mode", mode: MODES[(MODES.indexOf(player.mode) + 1) % MODES.length] }),
      undo: () => tell({ do: "undo" }), redo: () => tell({ do: "redo" }), help: () => tell({ do: "help" }),
      nearer: () => timeline.zoom(1.6), farther: () => timeline.zoom(1 / 1.6), whole: () => timeline.fit(),
    };
  }

  split() {
    const t = this.player.time, near = 9 / this.timeline.px;
    tell({ do: "split", t, snap: near });
  }

  // The take that was heard before, and back again.
  swap() {
    if (this.other !== null && this.state.takes.some((t) => t.number === this.other)) {
      tell({ do: "take", number: this.other });
    }
  }

  async fetchPeaks(take) {
    this.peaksOf = take;
    const answer = await fetch(`/film/${this.facts.key}/peaks/${take}`);
    if (answer.ok && this.peaksOf === take) { this.timeline.peaks = await answer.json(); this.timeline.wish(); }
  }

  unplayable() {
    if (!this.player.video.src || this.told === this.url) return;
    this.told = this.url;
    const probe = document.createElement("video");
    tell({ do: "unplayable", h264: probe.canPlayType('video/mp4; codecs="avc1.42E01E, mp4a.40.2"') !== "" });
  }
}

// Files are sent as they are, after their size was looked at: a body that is too large isn't even begun.
export async function upload(file, most, words) {
  if (file.size > most) {
    words(`${file.name}: it has ${(file.size / 2 ** 30).toFixed(1)} GB, and uploads may have `
      + `${(most / 2 ** 30).toFixed(1)} GB. Put it into a folder, and start \`videoscore studio --folder\` there: `
      + "nothing is copied then.");
    return;
  }
  words(`Sending ${file.name} …`);
  try {
    const answer = await fetch(`/upload?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    const said = await answer.json();
    if (said.open) window.location.assign(said.open); else words(said.error);
  } catch (error) {
    words(`${file.name} couldn't be sent. Is the studio still running?`);
  }
}

export function start() {
  if (!$("canvas.studio-timeline") || !$(".studio-play .q-icon")) { requestAnimationFrame(start); return; }
  window.studio = new Studio();
  const ready = () => (window.did_handshake ? tell({ do: "ready" }) : setTimeout(ready, 20));
  ready();
}
