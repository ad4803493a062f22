// Log: webhooks to the bot and its requests, each row with person, kind and text.

import * as api from "../api.js";
import { copyButton } from "../clipboard.js";
import { h, icon, iconButton } from "../dom.js";
import { oneLine } from "../format/render.js";
import { jsonBlock } from "../json.js";
import { exactTime, lengthOf } from "../times.js";
import { toast } from "../toasts.js";
import { requestPart, webhookParts } from "../traffic.js";
import { detailList, stateWord } from "./details.js";
import { sendBody } from "./webhook_form.js";

const FILTERS = {
  webhooks: {
    all: ["All", () => true],
    messages: ["Messages", ({ parts }) => parts.some(({ kind }) => !STATUSES.has(kind))],
    statuses: ["Statuses", ({ parts }) => parts.some(({ kind }) => STATUSES.has(kind))],
    failed: ["Failed", ({ isTaken, parts }) => !isTaken || parts.some(isFailure)],
  },
  requests: {
    all: ["All", () => true],
    messages: ["Messages", ({ entry }) => /messages$/.test(entry.path.split("?")[0])],
    files: ["Files", ({ parts: [{ kind }] }) => FILES.has(kind)],
    failed: ["Failed", ({ isTaken, entry }) => !isTaken || entry.refusal],
  },
};
const NONE = {
  webhooks: "No webhooks yet. Each message and status sends one.",
  requests: "No requests yet. Each message of your bot is one.",
};
const STATUSES = new Set(["sent", "delivered", "read", "played", "failed"]);
const FILES = new Set(["upload", "download", "file", "delete file"]);
const DRAWN = 200;

/** *text* without WhatsApp's formatting, on one line. */
const plain = (text) => h("span", {}, oneLine(text)).textContent;

const isFailure = ({ kind }) => kind === "failed";

/** *goTo* gets the id of a message or a refusal that a row is about. */
export function createLog({ state, goTo }) {
  const list = h("ol.log", { id: "log" });
  const none = h("p.quiet");
  const filters = h("div.filter", { role: "group", "aria-label": "Filter" });
  const tabs = h("div.log-tabs", { role: "group", "aria-label": "Log" });
  const node = h("section", {}, tabs, filters, none, list);
  const rows = new WeakMap(); // each entry is drawn once: what was opened stays open
  let kind = "webhooks";
  let filter = "all";
  let drawing = 0;

  function entries() {
    const known = kind === "webhooks" ? state.deliveries : state.requests;
    return known.slice(0, DRAWN).map(kind === "webhooks" ? webhookRow : requestRow);
  }

  function webhookRow(entry) {
    const parts = webhookParts(entry.body, state);
    return { entry, parts, isTaken: entry.status === 200 };
  }

  function requestRow(entry) {
    return { entry, parts: [requestPart(entry, state)], isTaken: entry.status < 400 };
  }

  function draw() {
    const wanted = entries().filter(FILTERS[kind][filter][1]);
    none.hidden = wanted.length > 0;
    none.textContent = NONE[kind];
    place(wanted.map(rowNode));
  }

  /** Make *nodes* the rows of the list; those that stay are not touched. */
  function place(nodes) {
    const kept = new Set(nodes);
    for (const row of [...list.children]) if (!kept.has(row)) row.remove();
    nodes.forEach((node, at) => {
      if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
    });
  }

  /** Draw in the next frame, however many rows come until then. */
  function drawSoon() {
    drawing ||= requestAnimationFrame(() => {
      drawing = 0;
      draw();
    });
  }

  function rowNode(row) {
    const { entry, parts, isTaken } = row;
    const isShown = parts.find(({ id }) => id && state.itemOf(id));
    const known = rows.get(entry);
    if (known && known.isShown === Boolean(isShown)) return known.drawn;
    const [part] = parts;
    const dot = isTaken && !parts.some(isFailure) ? "good" : "bad";
    const more = parts.length > 1 && ` +${parts.length - 1}`;
    const details = h(
      "details",
      {},
      h(
        "summary",
        {},
        stateWord(dot, String(entry.status ?? "–")),
        h(
          "span.log-what",
          {},
          h("span.log-kind", { data: { failed: isFailure(part) ? "" : undefined } }, part.kind),
          part.who && h("bdi.line", {}, part.who),
          more && h("span.quiet", {}, more),
        ),
        h("span.quiet.log-took", {}, tookWords(entry.seconds)),
        part.text && h("bdi.log-text.line", {}, plain(part.text)),
        h("time.quiet", {}, exactTime(entry.time)),
      ),
    );
    // There may be hundreds: details are drawn when opened.
    details.addEventListener("toggle", () => details.append(...inside(entry)), { once: true });
    const said = notesOf(entry);
    const drawn = h(
      "li",
      { data: { ok: String(isTaken), about: parts.map(({ id }) => id).join(" ") } },
      details,
      isShown &&
        iconButton("next", "Go to the message", () => goTo(isShown.id), { class: "round log-go" }),
      said && h("p.log-said", { dir: "auto" }, said),
    );
    rows.set(entry, { drawn, isShown: Boolean(isShown) }); // the message may come later
    return drawn;
  }

  function choose(newKind, newFilter = "all") {
    [kind, filter] = [newKind, newFilter];
    tabs.replaceChildren(
      choiceNode("Webhooks to your bot", kind === "webhooks", () => choose("webhooks"), "webhooks"),
      choiceNode("Requests of your bot", kind === "requests", () => choose("requests"), "requests"),
    );
    filters.replaceChildren(
      ...Object.entries(FILTERS[kind]).map(([name, [label]]) =>
        choiceNode(label, name === filter, () => choose(kind, name), name),
      ),
    );
    draw();
  }

  /** Show the newest row about *item*, opened. */
  function reveal(item) {
    const isRequest = item.refused || (item.direction === "outbound" && item.by === "bot");
    choose(isRequest ? "requests" : "webhooks");
    const about = [...list.children].find(({ dataset }) => dataset.about.split(" ").includes(item.id));
    if (!about) return toast("It is no longer in the log.");
    about.querySelector("details").open = true;
    about.scrollIntoView({ block: "center" });
    about.querySelector("summary").focus();
  }

  choose(kind);
  return { node, drawSoon, reveal };
}

function choiceNode(label, isChosen, onclick, name) {
  const props = { type: "button", "aria-pressed": String(isChosen), onclick, data: { name } };
  return h("button", props, label);
}

function notesOf({ error, retry_after: wait, attempt, fault }) {
  const notes = [
    attempt > 1 && `Attempt ${attempt}`,
    error,
    fault?.replace(/\.$/, ""),
    wait > 0 && `Next attempt in ${lengthWords(wait)}`,
  ].filter(Boolean);
  return notes.length > 0 && `${notes.join(". ")}.`;
}

function inside(entry) {
  return (entry.method ? requestNodes(entry) : webhookNodes(entry)).filter(Boolean);
}

function requestNodes({ method, path, body, answer }) {
  return [
    detailList([["Request", h("code", {}, `${method} ${path}`)]]),
    body && jsonBlock(body, "Body"),
    answer && jsonBlock(answer, "Answer"),
  ];
}

function webhookNodes(delivery) {
  const { id, url, headers = {}, body, answer } = delivery;
  const names = Object.entries(headers).map(([name, value]) => [name, h("code", {}, value)]);
  return [
    id !== undefined && actions(delivery),
    detailList([["Address", url && h("code", {}, url)], ...names]),
    jsonBlock(body, "Body"),
    answer && h("p.json-title", {}, "Response of the bot"),
    answer && h("pre.json", { tabindex: 0 }, answer),
  ];
}

function actions({ id, body }) {
  const redeliver = () => api.redeliver(id).catch((error) => toast(error.message));
  return h(
    "div.tools",
    {},
    h("button.tool", { type: "button", onclick: redeliver }, icon("again"), "Redeliver"),
    h("button.tool", { type: "button", onclick: () => sendBody(body) }, icon("edit"), "Edit"),
    copyButton("curl", () => api.webhookAs(id, "curl")),
    copyButton("pytest", () => api.webhookAs(id, "fixture")),
  );
}

function tookWords(seconds) {
  return seconds < 60 ? `${Math.round(seconds * 1000)} ms` : lengthOf(seconds);
}

function lengthWords(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
