// The live page: pictures of the camera go to the studio on this machine, which says what is to be heard. Pieces follow
// each other without a gap: the next one is decoded ahead and begins while the one before fades.

const WIDTH = 320, HEIGHT = 240;     // of a picture that is looked at
const EVERY = 200;                   // ms between two pictures, at least
const FADE = 2;                      // seconds in which two pieces overlap
const AHEAD = 0.05;                  // seconds: what begins is planned so much ahead

const find = (name) => document.querySelector(name);

export class Live {
  constructor() {
    this.context = null;
    this.stream = null;
    this.state = null;
    this.heard = null;               // {turn, number, source, gain, end}
    this.buffers = new Map();        // number of a piece -> promise of its decoded sound
    this.log = [];                   // what was shown and what began, with seconds since the camera was turned on
  }

  words(text) { find(".live-words").textContent = text; }

  get seconds() { return (performance.now() - this.begun) / 1000; }

  async on() {
    this.words("");
    if (!navigator.mediaDevices?.getUserMedia) {
      this.words("This browser gives no page a camera. Open the address that the studio printed, in Chromium or Firefox.");
      return;
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 }, audio: false });
    } catch (error) {
      this.words(refusal(error));
      return;
    }
    this.begun = performance.now();
    this.log = [];
    this.context ??= new AudioContext();
    await this.context.resume();
    const video = find(".live-video");
    video.srcObject = this.stream;
    await video.play();
    this.stream.getVideoTracks()[0].addEventListener("ended", () => this.off("The camera has gone."));
    find(".live-consent").hidden = true;
    find(".live-running").hidden = false;
    await this.ask("/live/begin");
    this.look();
  }

  off(words = "The camera is off.") {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    find(".live-video").srcObject = null;
    this.hush(0.3);
    this.heard = null;
    find(".live-consent").hidden = false;
    find(".live-running").hidden = true;
    this.words(words);
  }

  // One picture after the other, never two at once.
  async look() {
    const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
    const paper = canvas.getContext("2d", { willReadFrequently: true });
    while (this.stream) {
      const began = performance.now(), video = find(".live-video");
      if (video.videoWidth) {
        const scale = Math.min(WIDTH / video.videoWidth, HEIGHT / video.videoHeight);
        const width = Math.round(video.videoWidth * scale), height = Math.round(video.videoHeight * scale);
        paper.drawImage(video, 0, 0, width, height);
        const pixels = paper.getImageData(0, 0, width, height).data;
        await this.ask(`/live/picture?t=${this.seconds}&width=${width}&height=${height}`, pixels);
      }
      await new Promise((done) => setTimeout(done, Math.max(20, EVERY - (performance.now() - began))));
    }
  }

  async ask(path, body) {
    let told;
    try {
      const answer = await fetch(path, { method: "POST", body });
      told = await answer.json();
      if (!answer.ok) throw new Error(told.error);
    } catch (error) {
      this.words(`The studio doesn't answer as it should: ${error.message}`);
      await new Promise((done) => setTimeout(done, 1000));
      return;
    }
    if (!this.stream) return;
    this.state = told;
    this.show();
    await this.hear();
  }

  note(entry) { this.log.push({ t: Math.round(this.seconds * 10) / 10, ...entry }); }

  show() {
    const s = this.state, seen = s.emotion ?? "no face";
    if (seen !== this.shown) { this.shown = seen; this.note({ emotion: seen }); }
    find(".live-emotion").textContent = s.emotion ?? "No face is seen. Come before the camera, into the light.";
    for (const bar of document.querySelectorAll(".live-bar")) {
      const share = s.shares?.[bar.dataset.emotion];
      bar.querySelector("i").style.width = `${100 * (share ?? 0)}%`;
      bar.querySelector(".num").textContent = share === undefined ? "–" : `${Math.round(100 * share)} %`;
      bar.classList.toggle("most", bar.dataset.emotion === s.emotion);
    }
    const p = s.playing;
    find(".live-piece").textContent = !p ? "Nothing yet" : p.ready ? `${p.title} (for ${p.emotion})`
      : `${p.title} (for ${p.emotion}) is being played into a file …`;
    find(".live-next").textContent = s.other ? `If ${s.other} lasts ten seconds, the music moves on.`
      : s.upcoming ? `Then: ${s.upcoming.title}` : "";
    find(".live-ask").hidden = !s.asking;
    find(".live-choice").textContent = s.choice ? `You chose music for ${s.choice}.` : "";
    this.words(s.trouble);
  }

  // Decoded sound of a piece, fetched once.
  buffer(number) {
    if (!this.buffers.has(number)) {
      const made = fetch(`/live/piece/${number}`)
        .then((answer) => { if (!answer.ok) throw new Error("the piece isn't there"); return answer.arrayBuffer(); })
        .then((bytes) => this.context.decodeAudioData(bytes));
      made.catch(() => this.buffers.delete(number));
      this.buffers.set(number, made);
      // three minutes of sound are 70 MB: only what is heard and what is next stays
      for (const key of [...this.buffers.keys()].slice(0, -3)) this.buffers.delete(key);
    }
    return this.buffers.get(number);
  }

  async hear() {
    const { playing, upcoming } = this.state;
    if (playing?.ready && this.heard?.turn !== playing.turn && this.coming !== playing.turn) {
      this.coming = playing.turn;
      try {
        const sound = await this.buffer(playing.number);
        if (this.stream && this.state.playing?.turn === playing.turn) this.start(playing, sound);
      } catch (error) {
        this.words(`The piece can't be heard: ${error.message}`);
      } finally {
        this.coming = null;
      }
    }
    if (upcoming?.ready) this.buffer(upcoming.number).catch(() => {});
  }

  // Begin a piece; what was heard fades under it.
  start(playing, sound) {
    const at = this.context.currentTime + AHEAD;
    const gain = this.context.createGain(), source = this.context.createBufferSource();
    const fade = Math.min(FADE, sound.duration / 4);
    if (this.heard) {
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(1, at + fade);
    }
    this.hush(fade);
    source.buffer = sound;
    source.connect(gain).connect(this.context.destination);
    source.start(at);
    this.note({ piece: playing.title, for: playing.emotion, turn: playing.turn });
    const heard = { turn: playing.turn, source, gain, end: at + sound.duration };
    this.heard = heard;
    const wait = setInterval(() => {
      if (this.heard !== heard || !this.stream) { clearInterval(wait); return; }
      if (this.context.currentTime >= heard.end - fade) {
        clearInterval(wait);
        this.ask(`/live/ended?turn=${heard.turn}`);
      }
    }, 100);
  }

  // Let what is heard die away.
  hush(fade) {
    if (!this.heard) return;
    const { gain, source } = this.heard, now = this.context.currentTime + AHEAD;
    gain.gain.cancelScheduledValues(now);
    gain.gain.setValueAtTime(gain.gain.value, now);
    gain.gain.linearRampToValueAtTime(0, now + fade);
    source.stop(now + fade);
  }

  choose(emotion) { this.ask(`/live/choose?emotion=${encodeURIComponent(emotion)}`); }
  skip() { if (this.state?.playing) this.ask(`/live/ended?turn=${this.state.playing.turn}`); }
}

function refusal(error) {
  if (error.name === "NotAllowedError") {
    return "The camera was refused, so nothing is looked at. Allow it in the browser's address bar, then turn it on again.";
  }
  if (error.name === "NotFoundError") return "There is no camera. Connect one, then turn it on again.";
  if (error.name === "NotReadableError") return "Another program has the camera. Close that, then turn it on again.";
  return `The camera can't be used (${error.message}).`;
}

const live = new Live();
window.live = live;
document.addEventListener("click", (event) => {
  const target = event.target.closest("button");
  if (!target) return;
  if (target.matches(".live-on")) live.on();
  else if (target.matches(".live-off")) live.off();
  else if (target.matches(".live-skip")) live.skip();
  else if (target.dataset.choose !== undefined) live.choose(target.dataset.choose);
});
