// The timeline: zoom, pan, scrub, choose a cue, drag a boundary. What was done is told by `tell`.

import { draw, lanes, clock, LEFT, RIGHT } from "./draw.js";

const GRAB = 6;     // pixels from a boundary within which it is taken
const SNAP = 9;     // pixels from a cut within which it draws a boundary to itself
const SHORTEST = 0.5;

export class Timeline {
  constructor(canvas, tip, tell, seek) {
    Object.assign(this, { canvas, tip, tell, seek });
    this.film = null;
    this.now = null;
    this.thumbs = [];
    this.peaks = null;
    this.peakRate = 20;
    this.from = 0;
    this.to = 1;
    this.time = 0;
    this.chosen = 0;
    this.drag = null;
    this.scrubbing = false;
    new ResizeObserver(() => this.wish()).observe(canvas);
    canvas.addEventListener("pointerdown", (e) => this.down(e));
    canvas.addEventListener("pointermove", (e) => this.move(e));
    canvas.addEventListener("pointerup", (e) => this.up(e));
    canvas.addEventListener("pointercancel", () => { this.drag = null; this.scrubbing = false; this.wish(); });
    canvas.addEventListener("pointerleave", () => this.hint(""));
    canvas.addEventListener("dblclick", (e) => this.double(e));
    canvas.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
  }

  open(film) {
    this.film = film;
    this.fit();
    this.thumbs = Array.from({ length: film.thumbs }, (_, k) => {
      const picture = new Image();
      picture.onload = () => this.wish();
      picture.src = `/film/${film.key}/thumb/${k}`;
      return picture;
    });
  }

  // ------------------------------------------------------------ time and pixels

  get px() { return (this.canvas.clientWidth - LEFT - RIGHT) / Math.max(1e-6, this.to - this.from); }
  x(t) { return LEFT + (t - this.from) * this.px; }
  t(x) { return this.from + (x - LEFT) / this.px; }

  fit() { this.view(0, this.film.duration); }

  view(from, to) {
    const least = Math.min(this.film.duration, 1);
    const span = Math.min(this.film.duration, Math.max(least, to - from));
    this.from = Math.min(Math.max(0, from), this.film.duration - span);
    this.to = this.from + span;
    this.wish();
  }

  zoom(factor, around = this.time) {
    const span = (this.to - this.from) / factor, share = (around - this.from) / (this.to - this.from);
    const from = around - Math.min(1, Math.max(0, share)) * span;
    this.view(from, from + span);
  }

  // The playhead has moved; while it plays the view goes with it.
  at(t, playing) {
    this.time = t;
    const span = this.to - this.from;
    if (playing && !this.scrubbing && (t > this.to || t < this.from)) this.view(t - span * 0.05, t + span * 0.95);
    this.wish();
  }

  // ------------------------------------------------------------ drawing

  wish() {
    if (this.wished) return;
    this.wished = true;
    requestAnimationFrame(() => { this.wished = false; this.paint(); });
  }

  paint() {
    if (!this.film || !this.now) return;
    const { canvas } = this, ratio = window.devicePixelRatio || 1;
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    if (!w || !h) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(g, w, h, this);
    this.painted = performance.now();
  }

  // ------------------------------------------------------------ the pointer

  place(e) {
    const box = this.canvas.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    const rows = lanes(this.canvas.clientHeight), inside = ([top, h]) => y >= top && y < top + h;
    const lane = Object.keys(rows).find((name) => inside(rows[name])) ?? "";
    const cues = this.now.cues, t = Math.min(Math.max(0, this.t(x)), this.film.duration);
    let edge = 0;
    if (lane === "cues") {
      let nearest = GRAB;
      for (let k = 1; k < cues.length; k += 1) {
        const off = Math.abs(this.x(cues[k].start) - x);
        if (off <= nearest) { nearest = off; edge = k; }
      }
    }
    const cue = Math.max(0, cues.findIndex((c) => t < c.end));
    return { x, y, t, lane, edge, cue };
  }

  down(e) {
    if (!this.now || e.button !== 0) return;
    const p = this.place(e);
    this.canvas.setPointerCapture(e.pointerId);
    if (p.edge) {
      this.drag = { number: p.edge, t: this.now.cues[p.edge].start, snapped: false, moved: false, begin: p.x };
    } else if (p.lane === "cues") {
      this.tell({ do: "select", number: p.cue });
    } else {
      this.scrubbing = true;
      this.seek(p.t);
    }
    this.wish();
  }

  move(e) {
    if (!this.now) return;
    const p = this.place(e);
    if (this.drag) {
      if (Math.abs(p.x - this.drag.begin) > 2) this.drag.moved = true;
      Object.assign(this.drag, this.snapped(this.drag.number, this.t(p.x), e.altKey));
      this.wish();
    } else if (this.scrubbing) {
      this.seek(p.t);
    } else {
      this.canvas.style.cursor = p.edge ? "ew-resize" : p.lane === "cues" ? "pointer" : "text";
      this.hint(this.about(p), p);
    }
  }

  up() {
    const drag = this.drag;
    this.drag = null;
    this.scrubbing = false;
    if (drag && drag.moved) {
      this.tell({ do: "move", number: drag.number, t: drag.t, snap: drag.snapped });
      this.now.cues[drag.number].start = this.now.cues[drag.number - 1].end = drag.t;   // until the server's word
    }
    this.wish();
  }

  double(e) {
    const p = this.place(e);
    if (p.lane === "cues" && !p.edge) this.seek(this.now.cues[p.cue].start);
  }

  wheel(e) {
    if (!this.film) return;
    e.preventDefault();
    const span = this.to - this.from;
    if (e.ctrlKey || e.metaKey || e.altKey) {
      this.zoom(Math.exp(-e.deltaY * 0.002), this.place(e).t);
    } else {
      const by = (e.deltaX || e.deltaY) / this.px;
      this.view(this.from + by, this.from + by + span);
    }
  }

  // Where a boundary goes that is dragged to t: between its neighbours, on a cut that is near.
  snapped(number, t, free) {
    const cues = this.now.cues;
    const low = cues[number - 1].start + SHORTEST, high = cues[number].end - SHORTEST;
    t = Math.min(Math.max(t, low), high);
    let best = null;
    for (const [cut] of this.film.cuts) {
      if (cut < low || cut > high || Math.abs(cut - t) * this.px > SNAP) continue;
      if (best === null || Math.abs(cut - t) < Math.abs(best - t)) best = cut;
    }
    return free || best === null ? { t, snapped: false } : { t: best, snapped: true };
  }

  about(p) {
    const cue = this.now.cues[p.cue];
    if (p.edge) return `Drag to move where ${this.now.cues[p.edge].name} starts; it snaps to cuts (hold Alt: it doesn't)`;
    if (p.lane === "cues") {
      const marks = [cue.locked && "locked", cue.edited && "edited", cue.stale && "not composed yet"].filter(Boolean);
      return [`${cue.name}: ${clock(cue.start)} to ${clock(cue.end)}, starts on a ${cue.start_on}`, ...marks].join(", ");
    }
    if (p.lane === "curves" || p.lane === "mood") {
      const k = this.film.t.reduce((best, t, n) => (Math.abs(t - p.t) < Math.abs(this.film.t[best] - p.t) ? n : best), 0);
      const c = this.now.curve, say = (v) => `${v >= 0 ? "+" : "−"}${Math.abs(v).toFixed(2)}`;
      return `${clock(p.t)}  ${this.film.moods[c.mood[k]]}, valence ${say(c.valence[k])}, arousal ${say(c.arousal[k])}`;
    }
    return p.lane ? clock(p.t) : "";
  }

  hint(text, p) {
    this.tip.textContent = text;
    this.tip.style.display = text ? "block" : "none";
    if (!text) return;
    const width = this.tip.offsetWidth, most = this.canvas.clientWidth - width - 4;
    this.tip.style.left = `${Math.min(Math.max(4, p.x + 12), most)}px`;
    this.tip.style.top = `${p.y > 60 ? p.y - 34 : p.y + 18}px`;
  }
}
