// Draws the timeline. Pure but for the canvas: everything it needs comes in.

const FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
export const TONES = {
  ground: "#17181b", lane: "#1f2125", rule: "#3a3d44", text: "#eceded", quiet: "#b3b7be", cut: "#ffffff",
  head: "#ffffff", wave: "#8d939e", speech: "#d9dbdf", chosen: "#ffffff",
};
export const LEFT = 76, RIGHT = 10;   // room for the lanes' names, and at the end

// Lanes from above: [name, height]; what is left over goes to the curves.
const LANES = [["ruler", 20], ["pictures", 40], ["cues", 46], ["mood", 14], ["curves", 0], ["sound", 32], ["speech", 12]];
const NAMES = { pictures: "Film", cues: "Cues", mood: "Mood", curves: "", sound: "Music", speech: "Speech" };

export function lanes(height) {
  const fixed = LANES.reduce((sum, [, h]) => sum + h, 0), gap = 4;
  const curves = Math.max(40, height - fixed - gap * (LANES.length - 1));
  const out = {};
  let y = 0;
  for (const [name, h] of LANES) {
    out[name] = [y, h || curves];
    y += (h || curves) + gap;
  }
  return out;
}

export function clock(t, places = 2) {
  const minutes = Math.floor(t / 60);
  return `${minutes}:${(t - 60 * minutes).toFixed(places).padStart(places ? 3 + places : 2, "0")}`;
}

export function draw(g, width, height, s) {
  const rows = lanes(height), x = (t) => s.x(t);
  g.fillStyle = TONES.ground;
  g.fillRect(0, 0, width, height);
  for (const [name, [y, h]] of Object.entries(rows)) {
    if (name === "ruler") continue;
    g.fillStyle = TONES.lane;
    g.fillRect(LEFT, y, width - LEFT - RIGHT, h);
    label(g, NAMES[name], 4, y + h / 2, TONES.quiet);
  }
  g.save();
  g.beginPath();
  g.rect(LEFT, 0, width - LEFT - RIGHT, height);
  g.clip();
  ruler(g, rows.ruler, s, x);
  pictures(g, rows.pictures, s, x);
  mood(g, rows.mood, s, x);
  curves(g, rows.curves, s, x);
  sound(g, rows.sound, s, x);
  speech(g, rows.speech, s, x);
  cuts(g, rows, s, x);
  cues(g, rows, s, x);
  drag(g, rows, height, s, x);
  playhead(g, height, s, x);
  g.restore();
  names(g, rows, s);
}

function label(g, text, x, y, tone, size = 11, weight = "") {
  g.font = `${weight} ${size}px ${FONT}`;
  g.fillStyle = tone;
  g.textBaseline = "middle";
  g.textAlign = "left";
  g.fillText(text, x, y);
}

// As much of the text as fits, with an ellipsis.
export function fitted(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  let n = text.length;
  while (n > 1 && g.measureText(`${text.slice(0, n)}…`).width > width) n -= 1;
  return n > 2 ? `${text.slice(0, n).trimEnd()}…` : "";
}

function ruler(g, [y, h], s, x) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600];
  const step = steps.find((d) => s.px * d >= 70) ?? 7200;
  for (let k = Math.floor(s.from / step); k * step <= s.to; k += 1) {
    const t = k * step;
    g.fillStyle = TONES.rule;
    g.fillRect(Math.round(x(t)), y + h - 6, 1, 6);
    label(g, clock(t, step < 1 ? 1 : 0), x(t) + 4, y + h / 2, TONES.quiet);
  }
}

function pictures(g, [y, h], s, x) {
  const first = s.thumbs.find((picture) => picture.complete && picture.naturalWidth);
  if (!first) return;
  const w = first.naturalWidth * h / first.naturalHeight + 1, end = Math.min(x(s.film.duration), x(s.to));
  // frames side by side, each the nearest picture to its middle
  for (let left = x(0) + w * Math.max(0, Math.floor((LEFT - x(0)) / w)); left < end; left += w) {
    const at = Math.floor(s.t(left + w / 2) / s.film.duration * s.thumbs.length);
    const picture = s.thumbs[Math.min(s.thumbs.length - 1, Math.max(0, at))];
    if (picture.complete && picture.naturalWidth) g.drawImage(picture, left, y, w - 1, h);
  }
}

function mood(g, [y, h], s, x) {
  const { t, moods, colours } = s.film, which = s.now.curve.mood;
  for (let k = 0; k < t.length; k += 1) {
    const a = k ? (t[k - 1] + t[k]) / 2 : 0, b = k + 1 < t.length ? (t[k] + t[k + 1]) / 2 : s.film.duration;
    if (b < s.from || a > s.to) continue;
    g.fillStyle = colours[moods[which[k]]];
    g.fillRect(x(a), y, Math.max(1, x(b) - x(a) + 0.6), h);
  }
}

function curves(g, [y, h], s, x) {
  const at = (v) => y + h / 2 - v * (h / 2 - 4);
  g.strokeStyle = TONES.rule;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(LEFT, Math.round(at(0)) + 0.5);
  g.lineTo(x(s.to) + 99, Math.round(at(0)) + 0.5);
  g.stroke();
  for (const name of ["valence", "arousal"]) {
    const raw = s.film[name], smooth = s.now.curve[name], t = s.film.t;
    g.fillStyle = s.film.lines[name];
    const every = Math.max(1, Math.floor(t.length / 3000));
    for (let k = 0; k < t.length; k += every) {
      if (t[k] < s.from || t[k] > s.to) continue;
      g.globalAlpha = 0.25 + 0.45 * s.film.confidence[k];
      if (name === "valence") g.fillRect(x(t[k]) - 1.5, at(raw[k]) - 1.5, 3, 3);
      else { g.beginPath(); g.arc(x(t[k]), at(raw[k]), 1.7, 0, 7); g.fill(); }
    }
    g.globalAlpha = 1;
    for (const [wide, tone] of [[4, TONES.lane], [2.2, s.film.lines[name]]]) {
      g.strokeStyle = tone;
      g.lineWidth = wide;
      g.setLineDash(name === "arousal" ? [7, 3] : []);
      g.beginPath();
      for (let k = 0; k < t.length; k += 1) g.lineTo(x(t[k]), at(smooth[k]));
      g.stroke();
    }
    g.setLineDash([]);
  }
}

function sound(g, [y, h], s, x) {
  const peaks = s.peaks, rate = s.peakRate;
  g.fillStyle = TONES.wave;
  if (peaks) {
    const mid = y + h / 2;
    for (let px = Math.max(LEFT, Math.floor(x(0))); px < x(Math.min(s.to, s.film.duration)); px += 1) {
      const a = Math.floor(s.t(px) * rate), b = Math.max(a + 1, Math.floor(s.t(px + 1) * rate));
      let high = 0;
      for (let k = Math.max(0, a); k < Math.min(b, peaks.length); k += 1) high = Math.max(high, peaks[k]);
      const tall = Math.max(1, high * (h - 4));
      g.fillRect(px, mid - tall / 2, 1, tall);
    }
  } else {
    label(g, "Not composed yet", Math.max(LEFT + 6, x(0) + 6), y + h / 2, TONES.quiet);
  }
}

function speech(g, [y, h], s, x) {
  g.fillStyle = TONES.speech;
  for (const [a, b] of s.film.speech) g.fillRect(x(a), y + 3, Math.max(2, x(b) - x(a)), h - 6);
}

function cuts(g, rows, s, x) {
  const [top, bottom] = [rows.mood[0], rows.curves[0] + rows.curves[1]];
  const seen = s.film.cuts.filter(([t]) => t >= s.from && t <= s.to);
  const faint = Math.min(1, Math.max(0.4, (s.to - s.from) * s.px / (24 * Math.max(1, seen.length))));
  for (const [t, strength] of seen) {
    g.globalAlpha = faint * (0.12 + 0.3 * strength);
    g.fillStyle = TONES.cut;
    g.fillRect(Math.round(x(t)), top, 1, bottom - top);
    g.globalAlpha = 0.8 * faint;
    g.fillRect(Math.round(x(t)), rows.cues[0] + rows.cues[1], 1, 4);
  }
  g.globalAlpha = 1;
}

function cues(g, rows, s, x) {
  const [y, h] = rows.cues;
  s.now.cues.forEach((cue, k) => {
    const a = x(cue.start), b = x(cue.end);
    if (b < 0 || cue.start > s.to) return;
    const ink = s.film.ink[cue.mood], w = b - a;
    g.fillStyle = s.film.colours[cue.mood];
    g.fillRect(a + 1, y, Math.max(1, w - 2), h);
    // the darkest moods would sink into the ground
    g.strokeStyle = "#ffffff55";
    g.lineWidth = 1;
    g.strokeRect(a + 1.5, y + 0.5, Math.max(1, w - 3), h - 1);
    if (cue.stale && s.now.take !== null) stripes(g, a + 1, y + h - 5, w - 2, 5, ink);
    const pad = w < 60 ? 4 : 6;
    const room = Math.min(b, x(s.to)) - Math.max(a, LEFT) - 2 * pad, left = Math.max(a, LEFT) + pad;
    g.font = `600 12px ${FONT}`;
    const mark = cue.locked && room > 14 ? 14 : 0;
    if (mark) lock(g, left, y + 13, ink);
    const number = cue.name.split(" ")[0], whole = g.measureText(cue.name).width <= room - mark;
    label(g, whole ? cue.name : fitted(g, room > 70 ? cue.name : number, room - mark), left + mark, y + 13, ink, 12, "600");
    g.font = `11px ${FONT}`;
    if (room > 56) label(g, fitted(g, `${cue.key} · ${cue.bpm.toFixed(0)} bpm · ${cue.bars} bars`, room), left, y + 29, ink);
    for (const [t] of cue.hits) triangle(g, x(t), y + h - 1, ink);
    g.fillStyle = cue.fixed ? TONES.text : TONES.quiet;
    if (k) g.fillRect(Math.round(a) - 1, rows.cues[0], 2, rows.curves[0] + rows.curves[1] - rows.cues[0]);
  });
  const chosen = s.now.cues[s.chosen];
  if (chosen) {
    g.strokeStyle = TONES.chosen;
    g.lineWidth = 2.5;
    g.strokeRect(x(chosen.start) + 1.5, y + 0.5, x(chosen.end) - x(chosen.start) - 3, h - 1);
  }
}

function lock(g, x, y, ink) {
  g.fillStyle = g.strokeStyle = ink;
  g.lineWidth = 1.6;
  g.fillRect(x, y - 1, 9, 6);
  g.beginPath();
  g.arc(x + 4.5, y - 1, 2.8, Math.PI, 0);
  g.stroke();
}

// What isn't composed yet, told by more than a colour.
function stripes(g, x, y, w, h, ink) {
  g.save();
  g.beginPath();
  g.rect(x, y, w, h);
  g.clip();
  g.strokeStyle = ink;
  g.globalAlpha = 0.7;
  g.lineWidth = 2;
  g.beginPath();
  for (let k = -h; k < w; k += 7) { g.moveTo(x + k, y + h); g.lineTo(x + k + h, y); }
  g.stroke();
  g.restore();
}

function triangle(g, x, y, ink) {
  g.fillStyle = ink;
  g.beginPath();
  g.moveTo(x - 4, y);
  g.lineTo(x + 4, y);
  g.lineTo(x, y - 7);
  g.fill();
}

function drag(g, rows, height, s, x) {
  if (!s.drag) return;
  const px = Math.round(x(s.drag.t));
  g.fillStyle = s.drag.snapped ? "#56B4E9" : TONES.chosen;
  g.fillRect(px - 1, rows.cues[0] - 4, 3, rows.curves[0] + rows.curves[1] - rows.cues[0] + 4);
  const text = `${clock(s.drag.t, 3)}${s.drag.snapped ? " on a cut" : ""}`;
  g.font = `12px ${FONT}`;
  const w = g.measureText(text).width + 12, left = Math.min(px + 6, x(s.to) - w);
  g.fillStyle = "#000000d0";
  g.fillRect(left, rows.pictures[0] + 8, w, 22);
  label(g, text, left + 6, rows.pictures[0] + 19, TONES.text, 12);
}

function playhead(g, height, s, x) {
  const px = Math.round(x(s.time));
  g.fillStyle = "#000000";
  g.fillRect(px - 1.5, 0, 4, height);
  g.fillStyle = TONES.head;
  g.fillRect(px - 0.5, 0, 2, height);
  g.beginPath();
  g.moveTo(px - 6, 0);
  g.lineTo(px + 7, 0);
  g.lineTo(px + 0.5, 9);
  g.fill();
}

function names(g, rows, s) {
  const [y, h] = rows.curves;
  for (const [k, name] of [[-1, "arousal"], [1, "valence"]]) {
    const mid = y + h / 2 + 10 * k;
    g.strokeStyle = s.film.lines[name];
    g.lineWidth = 2.2;
    g.setLineDash(name === "arousal" ? [5, 2] : []);
    g.beginPath();
    g.moveTo(4, mid);
    g.lineTo(20, mid);
    g.stroke();
    g.setLineDash([]);
    label(g, name, 24, mid, TONES.quiet);
  }
  label(g, "+1", LEFT - 16, y + 6, TONES.quiet, 9);
  label(g, "−1", LEFT - 16, y + h - 6, TONES.quiet, 9);
}
