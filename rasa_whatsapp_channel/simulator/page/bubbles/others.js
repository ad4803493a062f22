import { h, icon } from "../dom.js";
import { jsonTree } from "../json.js";

export function order({ content }) {
  const items = content.product_items ?? [];
  const lines = items.map((item) =>
    h("li", {}, `${item.quantity} × ${item.product_retailer_id}`, price(item)),
  );
  return {
    content: [h("div.notice", {}, icon("bag"), h("p", {}, "Order")), h("ul.products", {}, lines)],
    meta: "below",
  };
}

function price({ item_price: amount, currency }) {
  return amount !== undefined && h("span.quiet", {}, ` ${Number(amount).toFixed(2)} ${currency ?? ""}`);
}

/** What WhatsApp tells about a person: a new number, a new user id. */
export function system({ content }) {
  const text = content?.body ?? "The person's account has changed.";
  return {
    content: [h("div.notice", {}, icon("info"), h("p", { dir: "auto" }, text))],
    meta: "below",
  };
}

/** A message of a group that is pinned, or taken off. */
export function pin({ content }) {
  const { type, expiration_days: days } = content;
  const text =
    type === "pin"
      ? `📌 Pinned a message for ${days} ${days === 1 ? "day" : "days"}.`
      : "📌 Took a pinned message off.";
  return { content: [h("div.notice", {}, icon("info"), h("p", {}, text))], meta: "below" };
}

/** What WhatsApp itself could not hand over. */
export function unsupported({ content }) {
  const kind = content?.type ? ` (${content.type})` : "";
  const text = `WhatsApp does not deliver this message to businesses${kind}.`;
  return { content: [h("div.notice", {}, icon("warning"), h("p", {}, text))], meta: "below" };
}

/** A type this page does not know yet: its raw content. */
export function unknown({ type, content }) {
  const text = `The simulator cannot display messages of type “${type}” yet.`;
  return {
    content: [h("div.notice", {}, icon("code"), h("p", {}, text)), jsonTree(content)],
    meta: "below",
  };
}
