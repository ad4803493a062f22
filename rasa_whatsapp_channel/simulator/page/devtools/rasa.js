// Rasa tracker of the person whose phone is in use: intent, slots, latest events.

import * as api from "../api.js";
import { h, icon, iconButton } from "../dom.js";
import { jsonTree } from "../json.js";
import { unpressed } from "../press.js";
import { timeOf } from "../times.js";
import { detailList } from "./details.js";

const SHORT = 60; // characters of a slot's value that need no fold
const SETTLED = 600; // milliseconds after the last message: the tracker is saved when a turn ends

export function createRasa(page) {
  const { state } = page;
  const body = h("div", { role: "status", "aria-live": "off" });
  const title = h("h3", { dir: "auto" });
  const again = iconButton("again", "Refresh", () => read());
  const node = h("div.panel.rasa", {}, h("div.panel-head", {}, title, again), body);
  let timer;

  function draw(what) {
    const { person, key } = state.chatOf(page.phones.inUse?.chat);
    title.textContent = person ? `Tracker of ${person.name || key}` : "Rasa";
    again.hidden = !state.hasRasa;
    if (state.hasRasa && what === "message") readSoon();
    else if (state.hasRasa) read();
    else body.replaceChildren(howTo());
  }

  function readSoon() {
    clearTimeout(timer);
    timer = setTimeout(read, SETTLED);
  }

  async function read() {
    const { person, key, number } = state.chatOf(page.phones.inUse?.chat);
    if (!person || !node.isConnected) return;
    try {
      const nodes = trackerNodes(await api.readTracker(key, number));
      unpressed(() => body.replaceChildren(...nodes));
    } catch (error) {
      body.replaceChildren(
        h("div.panel-empty", {}, icon("warning"), h("p", { dir: "auto" }, error.message)),
      );
    }
  }

  return {
    ...{ name: "rasa", label: "Rasa", symbol: "brain", node },
    refresh: (what) => ["shown", "phones", "message"].includes(what) && draw(what),
  };
}

function howTo() {
  return h(
    "div.panel-empty",
    {},
    icon("brain"),
    h("p", {}, "Shows intent, slots and latest events of a person."),
    h(
      "p.quiet",
      {},
      "Start the bot with ",
      h("code", {}, "--enable-api"),
      " and the simulator with ",
      h("code", {}, "--rasa http://localhost:5005"),
      ".",
    ),
  );
}

function trackerNodes({ sender_id: sender, intent, slots = {}, events = [] }) {
  const name = typeof intent === "string" ? intent : intent?.name;
  const confidence = intent?.confidence;
  const filled = Object.entries(slots).filter(([, value]) => value !== null && value !== undefined);
  const empty = Object.keys(slots).length - filled.length;
  return [
    detailList([
      ["Sender ID", sender && h("code", {}, sender)],
      ["Intent", name && h("strong", {}, name)],
      ["Confidence", Number.isFinite(confidence) && `${Math.round(confidence * 100)} %`],
    ]),
    h("h3", {}, "Slots"),
    filled.length > 0 &&
      detailList(filled.map(([slot, value]) => [h("code", {}, slot), valueNode(value)])),
    h("p.quiet.small-print", {}, filled.length ? `${empty} without a value` : "No slots are set."),
    h("h3", {}, "Latest events"),
    h("ol.events", {}, [...events].reverse().map(eventNode)),
  ].filter(Boolean);
}

function valueNode(value) {
  if (typeof value === "string") return h("bdi", {}, value);
  const text = JSON.stringify(value);
  if (text.length <= SHORT) return h("code", {}, text);
  const parts = Object.keys(value).length;
  const words = Array.isArray(value) ? `list of ${parts}` : `${parts} keys`;
  return h("details.slot-value", {}, h("summary", {}, words), jsonTree(value));
}

function eventNode(event) {
  return h(
    "li",
    { data: { event: event.event } },
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span.event-kind", {}, event.event),
        h("span.event-what", { dir: "auto" }, whatOf(event)),
        event.timestamp && h("time.quiet", {}, timeOf(event.timestamp)),
      ),
      jsonTree(event),
    ),
  );
}

function whatOf({ event, text, name, value, parse_data: parsed, policy }) {
  if (event === "user") return [text, parsed?.intent?.name].filter(Boolean).join(" → ");
  if (event === "slot") return `${name} = ${JSON.stringify(value)}`;
  return text ?? name ?? policy ?? "";
}
