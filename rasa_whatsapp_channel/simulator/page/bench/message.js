// What is inside one message.

import { h } from "../dom.js";
import { jsonBlock } from "../json.js";
import { facts, stateWord } from "./facts.js";

export function messageView(item, desk) {
  const { errors, body, ...record } = item;
  const kind = item.content?.type;
  return h(
    "div.bench-body",
    { data: { inspects: item.id } },
    facts([
      ["Type", kind ? `${item.type} · ${kind}` : item.type],
      ["From", desk.nameOf(item)],
      ["Status", item.status && stateWord(item.status)],
      ["Time", new Date(item.timestamp * 1000).toLocaleString("en-GB")],
      ["Id", h("code", {}, item.id)],
      ["Quotes", item.context?.message_id && h("code", {}, item.context.message_id)],
    ]),
    errors?.length > 0 && jsonBlock(errors, "Errors"),
    source(item, body, desk),
    h(
      "details",
      {},
      h("summary", {}, "Everything the simulator knows"),
      jsonBlock(record, "Record"),
    ),
  );
}

/** The JSON that went over the wire: the bot's request, or the webhook the bot got. */
function source(item, body, desk) {
  if (item.direction === "outbound") return jsonBlock(body ?? item.content, "Request of your bot");
  const delivery = desk.state.deliveryOf(item.id);
  if (delivery) return jsonBlock(delivery.body, "Webhook to your bot");
  return jsonBlock(item.content, "Content");
}
