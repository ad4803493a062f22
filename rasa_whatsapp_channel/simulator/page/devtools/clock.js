// The simulator's clock, and the 24-hour windows that follow it.

import * as api from "../api.js";
import { fieldNode } from "../dialogs/dialog.js";
import { h, icon } from "../dom.js";
import { dateAndTime } from "../times.js";
import { toast } from "../toasts.js";

const HOUR = 3600;
const WINDOW = 24 * HOUR;
const JUMPS = [
  [HOUR, "1 h"],
  [24 * HOUR, "24 h"],
  [25 * HOUR, "25 h"],
  [7 * 24 * HOUR, "7 d"],
];
const UNITS = [
  [60, "minutes"],
  [HOUR, "hours"],
  [24 * HOUR, "days"],
];

export function createClock({ state }) {
  const face = h("time.clock-face");
  const ahead = h("p.quiet", { role: "status" });
  const windows = h("ul.windows");
  const back = h(
    "button.tool.clock-back",
    { type: "button", onclick: () => move(api.resetClock()) },
    icon("reset"),
    "Back to now",
  );
  const form = h(
    "form.clock-custom",
    {},
    fieldNode({
      name: "amount",
      label: "Custom",
      type: "number",
      min: 1,
      value: 30,
      required: true,
    }),
    fieldNode({ name: "unit", label: "Unit", options: UNITS.map(([unit, word]) => [unit, word]) }),
    h("button.small", { type: "submit" }, "Jump"),
  );
  const node = h(
    "div.panel.clock",
    {},
    h("div.clock-card", {}, face, ahead, back),
    h("h3", {}, "Jump ahead"),
    h(
      "div.jumps",
      {},
      JUMPS.map(([seconds, words]) =>
        h(
          "button.jump",
          { type: "button", data: { jump: words }, onclick: () => jump(seconds) },
          `+ ${words}`,
        ),
      ),
    ),
    form,
    h("h3", {}, "24-hour windows"),
    windows,
    h(
      "p.hint",
      {},
      icon("clock"),
      "Outside the window only templates are delivered. Media, tokens, rate limits and " +
        "webhook retries follow this clock too.",
    ),
  );

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { amount, unit } = Object.fromEntries(new FormData(form));
    if (Number(amount) > 0) jump(Number(amount) * Number(unit));
  });
  setInterval(() => node.isConnected && draw(), 1000);

  const jump = (seconds) => move(api.advanceClock(seconds));

  async function move(moving) {
    const { now, offset } = (await moving.catch((error) => toast(error.message))) ?? {};
    if (now !== undefined) state.takePart("clock", { now, offset });
  }

  function draw() {
    const now = state.now();
    const offset = Math.round(state.clock?.offset ?? 0);
    face.textContent = dateAndTime(now);
    face.setAttribute("datetime", new Date(now * 1000).toISOString());
    const words = offset
      ? `${spanWords(offset)} ahead of this computer`
      : "Same time as this computer";
    if (ahead.textContent !== words) ahead.textContent = words;
    back.hidden = offset === 0;
    windows.replaceChildren(...[...state.people].map((entry) => windowNode(entry, now)));
  }

  function windowNode([key, person], now) {
    const left = person.window ? person.window - now : null;
    const part = left === null ? 0 : Math.max(0, left / WINDOW);
    const bar = h("span.window-bar", { "aria-hidden": "true" }, h("i"));
    bar.firstElementChild.style.setProperty("--part", part.toFixed(3));
    return h(
      "li",
      { data: { open: String(part > 0) } },
      h("bdi.window-who.line", {}, person.name || key),
      h("span.quiet", {}, windowWords(left)),
      bar,
    );
  }

  return {
    ...{ name: "clock", label: "Clock", symbol: "clock", node },
    isThere: () => state.clock !== undefined,
    hasNews: () => Math.round(state.clock?.offset ?? 0) !== 0,
    refresh: (what) => ["shown", "clock", "window", "people"].includes(what) && draw(),
  };
}

function windowWords(left) {
  if (left === null) return "closed: no message yet";
  if (left <= 0) return `closed ${spanWords(-left)} ago`;
  return `open for ${spanWords(left)}`;
}

/** "25 h", "3 d 2 h", "12 min". */
function spanWords(seconds) {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  if (minutes < 1) return `${Math.floor(Math.abs(seconds))} s`;
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (minutes < 60) return `${minutes} min`;
  if (days < 2)
    return [`${days * 24 + hours} h`, minutes % 60 && `${minutes % 60} min`]
      .filter(Boolean)
      .join(" ");
  return [`${days} d`, hours && `${hours} h`].filter(Boolean).join(" ");
}
