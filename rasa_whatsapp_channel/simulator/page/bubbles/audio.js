// Audio player with a seek bar; voice messages show their waveform.

import { h, icon } from "../dom.js";
import { sizeOf } from "../format/sizes.js";
import { lengthOf } from "../times.js";
import { BARS, listen } from "../voice/waveform.js";
import { missing } from "./media.js";

let playing = null;

export function audio({ type, content: media }) {
  const content = { ...media, voice: media.voice || type === "voice" };
  if (!content.url) return { content: [missing("audio", "Audio", content)], meta: "below" };
  return { content: [player(content)], meta: "player" };
}

function player(media) {
  const sound = new Audio(media.url);
  sound.preload = "metadata";
  const button = h("button.play", { type: "button", "aria-label": "Play" }, icon("play"));
  const seek = h("input.seek", {
    ...{ type: "range", min: 0, max: 1, step: 0.01, value: 0 },
    "aria-label": "Position",
  });
  const bars = Array.from({ length: BARS }, () => h("i"));
  const wave = h("div.wave", { "aria-hidden": "true" }, bars);
  const length = h("span.length", {}, lengthOf(NaN));
  const node = h(
    "div.player",
    { data: { voice: media.voice ? "" : undefined } },
    button,
    h("div.track", {}, media.voice && wave, seek),
    h("div.player-details", {}, length, title(media)),
  );
  connect({ sound, button, seek, bars, length, node, media });
  return node;
}

function title(media) {
  if (media.voice) return h("span.player-title", {}, icon("mic"), h("span.voice-words", {}, "Voice message"));
  const name = media.filename ?? "Audio";
  return h(
    "span.player-title",
    { title: sizeOf(media.size) },
    icon("audio"),
    h("bdi.line", {}, name),
  );
}

function connect({ sound, button, seek, bars, length, node, media }) {
  let seconds = NaN;

  function setLength(value) {
    if (!Number.isFinite(value)) return;
    seconds = value;
    seek.max = value;
    show();
  }

  function show() {
    const started = sound.currentTime > 0 && !sound.ended;
    // Nothing is 0:00 long.
    length.textContent = lengthOf(started ? sound.currentTime : Math.max(1, seconds));
    seek.setAttribute("aria-valuetext", `${lengthOf(sound.currentTime)} of ${lengthOf(seconds)}`);
    const part = seconds ? sound.currentTime / seconds : 0;
    seek.value = sound.ended ? 0 : sound.currentTime;
    seek.style.setProperty("--played", `${part * 100}%`);
    bars.forEach((bar, at) => bar.classList.toggle("played", at / bars.length < part));
  }

  function showState() {
    button.replaceChildren(icon(sound.paused ? "play" : "pause"));
    button.setAttribute("aria-label", sound.paused ? "Play" : "Pause");
    show();
  }

  function toggle() {
    if (!sound.paused) return sound.pause();
    if (playing !== sound) playing?.pause();
    playing = sound;
    return sound.play().catch(fail);
  }

  function fail() {
    node.dataset.broken = "";
    button.disabled = true;
    length.textContent = `${media.mime_type ?? "This sound"} cannot be played in this browser`;
    length.append(" · ", h("a", { href: media.url, download: media.filename ?? "audio" }, "Save"));
  }

  button.addEventListener("click", toggle);
  seek.addEventListener("input", () => {
    sound.currentTime = Number(seek.value);
    show();
  });
  sound.addEventListener("loadedmetadata", () => {
    setLength(sound.duration);
    // Some files do not say how long they are; then only reading them tells.
    if (!media.voice && !Number.isFinite(sound.duration)) listen(node, media.url, draw);
  });
  sound.addEventListener("durationchange", () => setLength(sound.duration));
  sound.addEventListener("timeupdate", show);
  for (const event of ["play", "pause", "ended"]) sound.addEventListener(event, showState);
  sound.addEventListener("error", fail);
  if (media.voice) listen(node, media.url, draw);

  function draw({ seconds: heard, peaks }) {
    setLength(heard);
    peaks.forEach((peak, at) => bars[at].style.setProperty("--peak", peak.toFixed(3)));
  }
}
