// Health of the bot, the connection between simulator and bot, and the webhook log.

import * as api from "../api.js";
import { copyButton } from "../clipboard.js";
import { ask } from "../dialogs/dialog.js";
import { h, icon } from "../dom.js";
import { jsonBlock } from "../json.js";
import { plus } from "../people.js";
import { lengthOf, timeOf } from "../times.js";
import { toast } from "../toasts.js";
import { createBot } from "./bot.js";
import { detailList, stateWord } from "./details.js";

const FILTERS = {
  all: ["All", () => true],
  messages: ["Messages", ({ body }) => valuesIn(body).some((value) => value?.messages)],
  statuses: ["Statuses", ({ body }) => valuesIn(body).some((value) => value?.statuses)],
  failed: ["Failed", ({ status }) => status !== 200],
};

export function createConnection({ state }) {
  const bot = createBot({ state });
  const aboutBot = h("div.joined", {}, h("h3", {}, "Your bot"), bot.node);
  const joined = h("div.joined");
  const list = h("ol.deliveries", { id: "deliveries" });
  const none = h("p.quiet", {}, "No webhooks yet. Each message and status sends one.");
  const nodes = new WeakMap(); // each delivery is drawn once: what was opened stays open
  let isConnected = false;
  let filter = "all";
  const write = () => sendBody({ body: emptyBody(state) });
  const node = h(
    "div.panel",
    {},
    aboutBot,
    h("h3", {}, "The simulator"),
    joined,
    h(
      "div.panel-head",
      {},
      h("h3", {}, "Webhooks to your bot"),
      h("button.tool", { type: "button", onclick: write }, icon("edit"), "Send custom webhook"),
    ),
    filterRow((name) => {
      filter = name;
      drawList();
    }),
    none,
    list,
    h("p.hint", {}, icon("code"), "Point at a message and choose Inspect to see its details."),
  );

  function drawFacts() {
    const { api: name, number, numbers, webhook } = state;
    const phone = number.display_phone_number;
    aboutBot.hidden = !isConnected || !webhook;
    const connected = isConnected ? ["good", "Connected"] : ["bad", "Not connected"];
    joined.replaceChildren(
      detailList([
        ["This page", stateWord(...connected)],
        ["API", name],
        ["Number", phone && plus(phone)],
        ["Number ID", number.phone_number_id && h("code", {}, number.phone_number_id)],
        ["Other numbers", numbers.length > 1 && numbers.slice(1).map(otherNumber)],
        ["Webhook", webhook ? h("code", {}, webhook) : "None: start with --webhook ADDRESS"],
      ]),
    );
  }

  function drawList() {
    const wanted = state.deliveries.filter(FILTERS[filter][1]);
    none.hidden = wanted.length > 0;
    list.replaceChildren(...wanted.map(nodeFor));
  }

  function nodeFor(delivery) {
    if (!nodes.has(delivery)) nodes.set(delivery, deliveryNode(delivery));
    return nodes.get(delivery);
  }

  return {
    ...{ name: "connection", label: "Webhooks", symbol: "plug", node },

    refresh(what) {
      if (what === "shown") {
        drawFacts();
        bot.askNow();
      }
      if (["message", "status", "webhook"].includes(what)) bot.askSoon();
      if (["shown", "webhook", "deliveries"].includes(what)) drawList();
    },

    setConnected(connected) {
      isConnected = connected;
      drawFacts();
    },
  };
}

function otherNumber({ name, display_phone_number: phone = "", phone_number_id: id }) {
  return h("p", {}, [name, plus(phone)].filter(Boolean).join(" "), " ", h("code", {}, id));
}

function filterRow(choose) {
  const buttons = Object.entries(FILTERS).map(([name, [label]]) =>
    h("button", { type: "button", "aria-pressed": String(name === "all"), data: { name } }, label),
  );
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      choose(button.dataset.name);
    });
  }
  return h("div.filter", { role: "group", "aria-label": "Filter webhooks" }, buttons);
}

function deliveryNode(delivery) {
  const { body, status, error, seconds, time, attempt = 1, retry_after: wait } = delivery;
  const isTaken = status === 200;
  const answer = stateWord(isTaken ? "good" : "bad", String(status ?? "no response"));
  const details = h(
    "details",
    {},
    h(
      "summary",
      {},
      answer,
      h("span.delivery-what", {}, whatIn(body), attempt > 1 && ` · attempt ${attempt}`),
      h("span.quiet", {}, tookWords(seconds)),
      h("time.quiet", {}, timeOf(time)),
    ),
  );
  // There may be hundreds: details are drawn when opened.
  details.addEventListener("toggle", () => details.append(...inside(delivery)), { once: true });
  const next = wait > 0 && `Next attempt in ${lengthWords(wait)}.`;
  const said = [error, next].filter(Boolean).join(". ");
  return h("li", { data: { ok: String(isTaken) } }, details, said && h("p", { dir: "auto" }, said));
}

function inside(delivery) {
  const { id, url, headers = {}, body, answer } = delivery;
  const names = Object.entries(headers).map(([name, value]) => [name, h("code", {}, value)]);
  return [
    id !== undefined && actions(delivery),
    detailList([["Address", url && h("code", {}, url)], ...names]),
    jsonBlock(body, "Body"),
    answer && h("p.json-title", {}, "Response of the bot"),
    answer && h("pre.json", { tabindex: 0 }, answer),
  ].filter(Boolean);
}

function actions({ id, body }) {
  const redeliver = () => api.redeliver(id).catch((error) => toast(error.message));
  return h(
    "div.tools",
    {},
    h("button.tool", { type: "button", onclick: redeliver }, icon("again"), "Redeliver"),
    h("button.tool", { type: "button", onclick: () => sendBody({ body }) }, icon("edit"), "Edit"),
    copyButton("curl", () => api.webhookAs(id, "curl")),
    copyButton("pytest", () => api.webhookAs(id, "fixture")),
  );
}

/** Edit *body* and send it to the bot. */
async function sendBody({ body }) {
  const values = await ask({
    title: "Send custom webhook",
    text: "Sent to your bot as if it came from WhatsApp.",
    submit: "Send",
    fields: [
      {
        ...{ name: "body", label: "Body", type: "textarea", rows: 14, required: true },
        value: JSON.stringify(body, null, 2),
      },
      {
        ...{ name: "sign", label: "Valid signature", type: "checkbox", checked: true },
        hint: "Otherwise the signature is invalid, and your bot should refuse the webhook.",
      },
    ],
    check: ({ body: text }) => wrongIn(text),
  });
  if (!values) return;
  const webhook = { body: JSON.parse(values.body), sign: values.sign !== undefined };
  await api.sendWebhook(webhook).catch((error) => toast(error.message));
}

function wrongIn(text) {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `Invalid JSON: ${error.message}`;
  }
}

/** What to begin with, when the bot has been sent nothing yet. */
function emptyBody({ deliveries, number }) {
  if (deliveries[0]) return deliveries[0].body;
  const { display_phone_number, phone_number_id } = number;
  const metadata = { display_phone_number, phone_number_id };
  const value = { messaging_product: "whatsapp", metadata, messages: [] };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: "0", changes: [{ field: "messages", value }] }],
  };
}

/** The values of a webhook's changes; a flat body is one itself. */
function valuesIn(body) {
  const changes = body?.entry?.flatMap((entry) => entry.changes ?? []) ?? [{ value: body }];
  return changes.map(({ value }) => value);
}

/** "text", "delivered", "text, image": what a webhook tells, of either shape. */
function whatIn(body) {
  const words = valuesIn(body).flatMap((value) => [
    ...(value?.messages ?? []).map((message) => message.type),
    ...(value?.statuses ?? []).map((status) => status.status),
  ]);
  return [...new Set(words)].join(", ") || "other";
}

function tookWords(seconds) {
  return seconds < 60 ? `${Math.round(seconds * 1000)} ms` : lengthOf(seconds);
}

function lengthWords(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
