// Frame of every message: quote, bubble, time, ticks, reactions, failure.

import { h, icon } from "../dom.js";
import { oneLine } from "../format/render.js";
import { summaryOf } from "../summary.js";
import { timeOf } from "../times.js";
import { markTaps } from "./choices.js";
import { draw } from "./index.js";

const TICKS = {
  sent: ["tick-one", "Sent"],
  delivered: ["tick-two", "Delivered"],
  read: ["tick-two", "Read"],
  played: ["tick-two", "Played"],
  failed: ["warning", "Not delivered"],
};

/** The whole message. Later changes are for `refreshMessage`: players keep playing. */
export function renderMessage(item, controller) {
  const drawn = item.revoked ? revoked(item) : draw(item, controller);
  const { content, choices = [], below, meta = "below", bare = false } = drawn;
  const bubble = h(
    "div.bubble",
    { data: { bare: bare ? "" : undefined, fits: fitOf(item) } },
    h(
      "div.content",
      { data: { meta } },
      nameNode(item, controller),
      item.referral && referralNode(item.referral),
      quoteOf(item, controller),
      content,
      metaOf(item),
    ),
    choices.length > 0 && h("div.choices", {}, choices),
  );
  const node = h(
    "article.message",
    {
      tabindex: -1,
      data: {
        ...{ messageId: item.id, type: item.type, direction: item.direction, by: item.by },
        side: controller.sideOf(item),
      },
    },
    h("div.row", {}, bubble),
    below,
    h("div.reactions", { hidden: true }),
    h("div.failure", { hidden: true }),
  );
  refreshMessage(node, item, controller);
  return node;
}

/** Bring status, reactions, failure and taps of *node* up to date. */
export function refreshMessage(node, item, controller) {
  node.dataset.status = item.status ?? "";
  node.setAttribute("aria-label", labelOf(item, controller));
  node.querySelector(".ticks").replaceChildren(...ticksOf(item));
  showReactions(node.querySelector(".reactions"), item);
  showFailure(node.querySelector(".failure"), item);
  markTaps(node, controller.state.taps(item.id));
}

// Media, cards and choices want the full width of a bubble; words only what they need.
function fitOf({ type, content }) {
  if (type === "interactive") return content.action ? "wide" : "words";
  return ["text", "button", "sticker", "system", "unsupported"].includes(type) ? "words" : "wide";
}

function quoteOf(item, controller) {
  const id = item.context?.message_id;
  if (!id) return null;
  const quoted = controller.state.messages.get(id);
  const { icon: symbol, text } = quoted ? summaryOf(quoted) : { text: "An earlier message" };
  return h(
    "button.quote",
    { type: "button", onclick: () => controller.goTo(id), data: { side: quoted && controller.sideOf(quoted) } },
    h("span.quote-who", { dir: "auto" }, quoted ? controller.quotedName(quoted) : "Quoted"),
    h("span.quote-text", { dir: "auto" }, symbol && icon(symbol), oneLine(text)),
  );
}

const WRITERS = { bot: "brain", phone: "person", app: "plug" };

/** Who wrote, where that is not clear: in a group, and where others than the bot write. */
function nameNode(item, controller) {
  if (item.author) return h("p.author", { dir: "auto" }, controller.nameOf(item));
  const usual = controller.writer === "person" ? "bot" : controller.writer;
  if (item.direction === "inbound" || item.by === usual) return null;
  return h("p.author", { dir: "auto" }, icon(WRITERS[item.by]), controller.nameOf(item));
}

function revoked() {
  return { content: [h("p.revoked", {}, icon("bin"), "This message was deleted.")], meta: "inline" };
}

/** The ad that a conversation began with. */
function referralNode({ headline, body, source_type: kind }) {
  return h(
    "div.quote-lines.referral",
    {},
    h("span.quote-who", { dir: "auto" }, headline ?? "Ad"),
    body && h("span.quote-text", { dir: "auto" }, body),
    h("span.quiet", {}, kind === "post" ? "From a post" : "From an ad"),
  );
}

function metaOf(item) {
  const iso = new Date(item.timestamp * 1000).toISOString();
  return h(
    "div.meta",
    {},
    item.edited && !item.revoked && h("span", {}, "Edited"),
    h("time", { datetime: iso }, timeOf(item.timestamp)),
    h("span.ticks"),
  );
}

function ticksOf({ status }) {
  if (!Object.hasOwn(TICKS, status ?? "")) return [];
  const [symbol, label] = TICKS[status];
  return [icon(symbol), h("span.spoken", {}, label)];
}

function showReactions(node, item) {
  const emoji = emojiIn(item.reactions);
  const counts = new Map();
  for (const one of emoji) counts.set(one, (counts.get(one) ?? 0) + 1);
  node.hidden = emoji.length === 0;
  node.replaceChildren(
    ...[...counts.keys()].map((one) => h("span", {}, one)),
    ...(emoji.length > counts.size ? [h("b", {}, String(emoji.length))] : []),
  );
  node.setAttribute("aria-label", `Reactions: ${emoji.join(" ")}`);
  node.setAttribute("role", "img");
}

/** Reactions are {who: emoji}; an empty one is removed. */
export function emojiIn(reactions) {
  return Object.values(reactions ?? {}).filter((emoji) => typeof emoji === "string" && emoji);
}

function showFailure(node, { status, errors = [] }) {
  node.hidden = status !== "failed";
  if (node.hidden) return;
  const [error = {}] = errors ?? [];
  const title = error.title ?? error.message ?? "Not delivered";
  const details = error.error_data?.details ?? error.details;
  node.replaceChildren(
    icon("warning"),
    h(
      "p",
      {},
      h("strong", {}, error.code ? `${title} (${error.code})` : title),
      details && h("span", {}, details),
    ),
  );
}

function labelOf(item, controller) {
  const status = TICKS[item.status]?.[1];
  const words = [controller.nameOf(item), summaryOf(item).text, timeOf(item.timestamp), status];
  return words.filter(Boolean).join(", ");
}
