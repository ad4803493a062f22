// Message details: status, changes, request and response.

import * as api from "../api.js";
import { costOf } from "../costs.js";
import { h, icon } from "../dom.js";
import { jsonBlock } from "../json.js";
import { exactTime } from "../times.js";
import { toast } from "../toasts.js";
import { detailList, stateWord } from "./details.js";

const BY_HAND = ["delivered", "read", "played", "failed"];
const WINDOW_CLOSED = 131_047;

export function messageView(item, page) {
  const { state, phones } = page;
  const { errors, body, answer, changes, ...record } = item;
  const kind = item.content?.type;
  const { controller } = phones.with(item.chat)[0] ?? phones.inUse;
  return h(
    "div.panel",
    { data: { inspects: item.id } },
    detailList([
      ["Type", kind ? `${item.type} · ${kind}` : item.type],
      ["From", controller.nameOf(item)],
      ["Response", item.response && h("code", {}, item.response)],
      ["Status", item.status && stateWord(item.status)],
      ["Cost", costNode(item, state)],
      ["Time", new Date(item.timestamp * 1000).toLocaleString("en-GB")],
      ["ID", h("code", {}, item.id)],
      ["Quotes", item.context?.message_id && h("code", {}, item.context.message_id)],
    ]),
    changes?.length > 0 && changesNode(changes),
    item.direction === "outbound" && item.statuses && statusesNode(item),
    errors?.length > 0 && jsonBlock(errors, "Errors"),
    h(
      "div.tools",
      {},
      h(
        "button.tool.to-log",
        { type: "button", onclick: () => page.reveal(item) },
        icon("plug"),
        "In the log",
      ),
    ),
    source(item, body, state),
    answer && jsonBlock(answer, "Response of the API"),
    h(
      "details",
      {},
      h("summary", {}, "All data"),
      jsonBlock(record, "Record"),
    ),
  );
}

/** What the message costs, and why. */
function costNode(item, state) {
  const cost = costOf(item, state.billing);
  if (!cost) return null;
  return [
    stateWord(cost.isBilled ? "warn" : "good", cost.words),
    h("p.quiet", {}, cost.why),
  ];
}

/** What the channel changed so that the response fits WhatsApp. */
function changesNode(changes) {
  return [
    h("h3", {}, `Changed to fit WhatsApp (${changes.length})`),
    h(
      "ul.changes",
      {},
      changes.map(({ code, message, before, after }) =>
        h(
          "li",
          {},
          h("p", { dir: "auto" }, message, " ", h("code", {}, code)),
          isSaid(before) && h("p.before", { dir: "auto" }, h("b", {}, "−"), wordsOf(before)),
          isSaid(after) && h("p.after", { dir: "auto" }, h("b", {}, "+"), wordsOf(after)),
        ),
      ),
    ),
  ];
}

const isSaid = (value) => value !== undefined && value !== null && value !== "";

const wordsOf = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function statusesNode(item) {
  const steps = item.statuses.map(({ status, timestamp, by_hand: byHand }) =>
    h(
      "li",
      {},
      stateWord(status),
      h("time.quiet", {}, exactTime(timestamp)),
      byHand && h("span.quiet", {}, "set manually"),
    ),
  );
  return [
    h("h3", {}, "Statuses"),
    h("ol.statuses", {}, steps),
    h(
      "div.tools",
      {},
      BY_HAND.map((status) => statusButton(item, status)),
    ),
  ];
}

function statusButton(item, status) {
  const set = () => {
    const code = status === "failed" ? { code: WINDOW_CLOSED } : {};
    api
      .setStatus(item.person, { message_id: item.id, status, ...code })
      .catch((error) => toast(error.message));
  };
  const symbol = status === "failed" ? "warning" : "tick-two";
  return h(
    "button.tool",
    { type: "button", data: { set: status }, onclick: set },
    icon(symbol),
    status,
  );
}

/** The JSON that went over the wire: the bot's request, or the webhook the bot got. */
function source(item, body, state) {
  if (item.direction === "outbound") return jsonBlock(body ?? item.content, "Request of your bot");
  const delivery = state.deliveryOf(item.id);
  if (delivery) return jsonBlock(delivery.body, "Webhook to your bot");
  return jsonBlock(item.content, "Content");
}
