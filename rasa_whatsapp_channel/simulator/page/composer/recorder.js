// Recording strip: replaces the text field while a voice message is recorded.

import { h, icon, iconButton } from "../dom.js";
import { lengthOf } from "../times.js";
import { toast } from "../toasts.js";
import { record } from "../voice/record.js";

const REASONS = {
  NotAllowedError: "The browser may not use the microphone: allow it in the address bar.",
  NotFoundError: "No microphone found. Attach an audio file to send it as a voice message.",
  NotReadableError: "The microphone is used by another program.",
};

export function createRecorder({ form, sendVoice }) {
  const time = h("span.recording-time", { role: "timer", "aria-label": "Recorded" }, "0:00");
  const level = h("span.level", { "aria-hidden": "true" });
  const send = h(
    "button.round.send.record-send",
    { type: "button", "aria-label": "Send the voice message" },
    icon("send"),
  );
  const drop = iconButton("bin", "Discard", cancel, { class: "round record-cancel" });
  const node = h("div.recording", { hidden: true }, drop, h("i.dot"), time, level, send);
  let recording = null;
  let clock = null;

  send.addEventListener("click", finish);

  async function start() {
    if (recording) return;
    try {
      recording = await record({
        onlevel: (loudness) => level.style.setProperty("--level", loudness),
      });
    } catch (error) {
      toast(REASONS[error.name] ?? `Recording is not possible: ${error.message}`);
      return;
    }
    setRecording(true);
    const begun = Date.now();
    clock = setInterval(() => {
      time.textContent = lengthOf((Date.now() - begun) / 1000);
    }, 250);
    send.focus();
  }

  async function finish() {
    const done = recording;
    stop();
    sendVoice(await done.finish());
  }

  function cancel() {
    recording?.cancel();
    if (recording) stop();
  }

  function stop() {
    recording = null;
    clearInterval(clock);
    time.textContent = "0:00";
    setRecording(false);
    form.querySelector(".composer-text").focus();
  }

  function setRecording(on) {
    node.hidden = !on;
    form.toggleAttribute("data-recording", on);
  }

  return { node, start, cancel };
}
