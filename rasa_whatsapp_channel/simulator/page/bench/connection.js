// How simulator and bot are joined, and the last webhooks.

import { h, icon } from "../dom.js";
import { jsonBlock } from "../json.js";
import { plus } from "../people.js";
import { lengthOf, timeOf } from "../times.js";
import { facts, stateWord } from "./facts.js";

const opened = new WeakSet(); // deliveries whose body is shown

export function connectionView({ api, number, webhook, deliveries }, isConnected) {
  const phone = number.display_phone_number;
  return h(
    "div.bench-body",
    {},
    facts([
      ["Simulator", isConnected ? stateWord("good", "Connected") : stateWord("bad", "Not there")],
      ["API", api],
      ["Number", phone && plus(phone)],
      ["Number id", number.phone_number_id && h("code", {}, number.phone_number_id)],
      ["Webhook", webhook ? h("code", {}, webhook) : "None: start with --webhook ADDRESS"],
    ]),
    h("h3", {}, "Webhooks to your bot"),
    deliveries.length === 0 && h("p.quiet", {}, "None yet. Every message and status is one."),
    h("ol.deliveries", { id: "deliveries" }, deliveries.map(deliveryNode)),
    h("p.hint", {}, icon("code"), "Point at a message and choose Inspect to see its JSON."),
  );
}

function deliveryNode(delivery) {
  const { body, status, error, seconds, time, retry_after: wait } = delivery;
  const isTaken = status === 200;
  const answer = stateWord(isTaken ? "good" : "bad", String(status ?? "no answer"));
  const details = h(
    "details",
    { open: opened.has(delivery) },
    h(
      "summary",
      {},
      answer,
      h("span.delivery-what", {}, whatIn(body)),
      h("span.quiet", {}, tookWords(seconds)),
      h("time.quiet", {}, timeOf(time)),
    ),
    jsonBlock(body, "Body"),
  );
  details.addEventListener("toggle", () => {
    if (details.open) opened.add(delivery);
    else opened.delete(delivery);
  });
  const next = wait > 0 && `Again in ${wait} s.`;
  const said = [error, next].filter(Boolean).join(". ");
  return h("li", { data: { ok: String(isTaken) } }, details, said && h("p", { dir: "auto" }, said));
}

/** "text", "delivered", "text, image": what a webhook tells, of either shape. */
function whatIn(body) {
  const changes = body?.entry?.flatMap((entry) => entry.changes ?? []) ?? [{ value: body }];
  const words = changes.flatMap(({ value }) => [
    ...(value?.messages ?? []).map((message) => message.type),
    ...(value?.statuses ?? []).map((status) => status.status),
  ]);
  return [...new Set(words)].join(", ");
}

function tookWords(seconds) {
  return seconds < 60 ? `${Math.round(seconds * 1000)} ms` : lengthOf(seconds);
}
