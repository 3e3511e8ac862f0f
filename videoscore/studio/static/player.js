// Picture and sound together. While a score plays, its sound leads and the picture follows: a small change of the
// picture's speed isn't seen, one of the sound's is heard. Times are seconds from the first picture.

const CLOSE = 0.012;    // seconds apart that are let be
const FAR = 0.25;       // seconds apart from which the picture jumps
const MOST = 0.25;      // share by which the picture may run faster or slower
const RATES = [1, 2, 4];

export class Player {
  constructor(video, changed) {
    this.video = video;
    this.changed = changed;       // called on every frame and change
    this.film = { key: "", duration: 0, frame: 0.04, offset: 0 };
    this.sounds = new Map();      // "3-mix.wav" -> Audio
    this.take = null;
    this.mode = "score";          // "score": film and music, "music": music alone, "film": the film's own sound
    this.rate = 0;                // 0 paused; negative backwards
    this.loop = null;             // [start, end] or null
    this.volume = 1;
    const step = (now) => { this.follow(now); requestAnimationFrame(step); };
    requestAnimationFrame(step);
  }

  open(film, url) {
    this.film = film;
    const at = this.time;
    this.video.src = url;
    this.video.load();
    if (at > 0) this.seek(at);
  }

  // The sound that leads: of the take, or null where the film's own is heard.
  get sound() {
    if (this.take === null || this.mode === "film") return null;
    return this.load(`${this.take}-${this.mode === "music" ? "music" : "mix"}.wav`);
  }

  load(name) {
    if (!this.sounds.has(name)) {
      const sound = new Audio(`/film/${this.film.key}/sound/${name}`);
      sound.preload = "auto";
      this.sounds.set(name, sound);
    }
    return this.sounds.get(name);
  }

  // Which takes there are; sounds of others are let go.
  keep(numbers) {
    for (const [name, sound] of this.sounds) {
      if (numbers.includes(parseInt(name, 10))) continue;
      sound.pause();
      sound.removeAttribute("src");
      sound.load();
      this.sounds.delete(name);
    }
  }

  get playing() { return this.rate > 0; }

  get time() {
    const sound = this.playing ? this.sound : null;
    const t = sound && !sound.paused ? sound.currentTime : this.video.currentTime - this.film.offset;
    return Math.min(Math.max(0, t || 0), this.film.duration);
  }

  seek(t) {
    const end = Math.max(0, this.film.duration - this.film.frame / 2);
    t = Math.min(Math.max(0, t), end);
    // a hair later, so that rounding doesn't show the picture before
    this.video.currentTime = t + this.film.offset + 1e-4;
    const sound = this.sound;
    if (sound) sound.currentTime = t;
    this.changed();
  }

  // Another take or another way to listen, at the same place and without stopping.
  hear(take, mode) {
    if (take === this.take && mode === this.mode) return;
    const t = this.time, before = this.sound;
    this.take = take;
    this.mode = mode;
    const now = this.sound;
    if (before && before !== now) before.pause();
    this.volumes();
    if (now) {
      now.currentTime = t;
      if (this.playing) { now.playbackRate = this.rate; now.play().catch(() => this.pause()); }
    }
    this.changed();
  }

  volumes() {
    const sound = this.sound;
    this.video.muted = !!sound || this.rate < 0;
    this.video.volume = this.volume;
    if (sound) sound.volume = this.volume;
  }

  async play(rate = 1) {
    if (this.time >= this.film.duration - this.film.frame) this.seek(this.loop ? this.loop[0] : 0);
    const t = this.time, sound = this.sound;
    this.rate = rate;
    this.volumes();
    // browsers don't play backwards: `follow` seeks, picture by picture
    if (rate < 0) { this.hush(); this.changed(); return; }
    this.video.playbackRate = rate;
    if (sound) {
      sound.playbackRate = rate;
      if (Math.abs(sound.currentTime - t) > 1e-3) sound.currentTime = t;
    }
    try {
      await Promise.all([this.video.play(), sound ? sound.play() : null]);
    } catch (error) {
      if (error.name !== "AbortError") this.pause();
    }
    this.changed();
  }

  hush() {
    this.video.pause();
    for (const sound of this.sounds.values()) sound.pause();
  }

  pause() {
    const t = this.time;
    this.rate = 0;
    this.hush();
    const sound = this.sound;
    if (sound) { sound.currentTime = t; this.video.currentTime = t + this.film.offset + 1e-4; }
    this.changed();
  }

  toggle() { if (this.rate) this.pause(); else this.play(); }

  // J and L: another press goes faster.
  shuttle(direction) {
    const now = this.rate * direction;
    const next = now > 0 ? RATES[Math.min(RATES.indexOf(now) + 1, RATES.length - 1)] : 1;
    this.play(next * direction);
  }

  frames(count) {
    if (this.rate) this.pause();
    this.seek((Math.floor(this.time / this.film.frame + 0.05) + count) * this.film.frame);
  }

  // How far the picture is ahead of the sound that leads, in seconds; null where none leads.
  get drift() {
    const sound = this.sound;
    if (!this.playing || !sound || sound.paused) return null;
    return this.video.currentTime - this.film.offset - sound.currentTime;
  }

  follow(now) {
    const passed = Math.min(0.2, (now - (this.last ?? now)) / 1000);
    this.last = now;
    if (!this.rate) return;
    if (this.rate < 0) {
      const t = this.time + this.rate * passed;
      if (!this.video.seeking) this.video.currentTime = Math.max(0, t) + this.film.offset;
      if (t <= 0) this.pause();
    } else {
      this.together();
      const t = this.time;
      if (this.loop && t >= this.loop[1]) this.seek(this.loop[0]);
      else if (t >= this.film.duration - 0.02 || this.video.ended) this.pause();
    }
    this.changed();
  }

  together() {
    const drift = this.drift;
    if (drift === null || this.video.seeking) return;
    if (Math.abs(drift) > FAR) {
      this.video.currentTime = this.sound.currentTime + this.film.offset;
    } else {
      const turn = Math.abs(drift) > CLOSE ? Math.min(MOST, Math.max(-MOST, 3 * drift)) : 0;
      const rate = this.rate * (1 - turn);
      if (Math.abs(this.video.playbackRate - rate) > 0.004) this.video.playbackRate = rate;
    }
    if (this.video.paused && !this.video.ended) this.video.play().catch(() => {});
  }
}
