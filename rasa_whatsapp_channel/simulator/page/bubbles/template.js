// Templates. A message carries the template's name and values; the simulator knows the words, too,
// of those it has (`filled`). Others are shown by their values.

import { h, icon } from "../dom.js";
import { folded, formatted } from "../format/render.js";
import { withArrows } from "./carousel.js";
import { choice, linkChoice } from "./choices.js";
import { headerNode } from "./parts.js";

export function template(item, controller) {
  const { name, language, components = [] } = item.content;
  const label = [name, language?.code].filter(Boolean).join(" · ");
  const title = h("p.template-name", {}, icon("form"), label);
  if (!item.filled) return raw(title, components, item, controller);
  const cards = item.filled.cards ?? [];
  return {
    content: [title, ...words(item.filled, components, controller)],
    choices: (item.filled.buttons ?? []).map((button) => buttonNode(button, item, controller)),
    below: cards.length > 0 ? cardsNode(cards, components, item, controller) : undefined,
    meta: "below",
  };
}

/** Header, body and footer as a phone shows them, with the values in their places. */
function words({ header, offer, body, footer }, components, controller) {
  const [value] = parametersOf(components, "header");
  return [
    header?.type === "text" && h("p.header-text", { dir: "auto" }, header.text),
    header && header.type !== "text" && value && headerOf(value, controller),
    offer && h("p.header-text", { dir: "auto" }, `⏳ ${offer.text}${untilOf(offer)}`),
    ...(body ? folded(body) : []),
    footer && h("p.footer", { dir: "auto" }, footer),
  ].filter(Boolean);
}

function untilOf({ ends }) {
  return ends ? ` · until ${new Date(ends).toLocaleString()}` : "";
}

function cardsNode(cards, components, item, controller) {
  const given = components.find(({ type }) => type?.toLowerCase() === "carousel")?.cards ?? [];
  const nodes = cards.map((card, at) =>
    h(
      "div.card",
      { role: "group", "aria-label": `Card ${at + 1}` },
      words(card, given[at]?.components ?? [], controller),
      h(
        "div.choices",
        {},
        (card.buttons ?? []).map((button) => buttonNode(button, item, controller)),
      ),
    ),
  );
  const label = `${cards.length} cards`;
  return withArrows(h("div.cards", { role: "group", "aria-label": label, tabindex: 0 }, nodes));
}

const SYMBOLS = {
  phone_number: "phone",
  voice_call: "phone",
  call_permission_request: "phone",
  request_contact_info: "contacts",
  copy_code: "copy",
};

function buttonNode({ type, text, url, payload }, item, controller) {
  const label = text ?? type;
  if (type === "url") return linkChoice(label, url);
  if (type === "quick_reply") return quickReply(label, payload ?? label, item, controller);
  return choice(SYMBOLS[type] ?? "form", label, null);
}

function quickReply(text, payload, item, controller) {
  return choice("reply", text, () => controller.answer(item, "button", { payload, text }), {
    replyId: payload,
  });
}

/** A template whose text is unknown. */
function raw(title, components, item, controller) {
  const of = (type) => components.filter((one) => one.type?.toLowerCase() === type);
  const headers = parametersOf(components, "header").map((value) => headerOf(value, controller));
  return {
    content: [title, ...headers, ...of("body").map(valuesOf)],
    choices: of("button").map((button) => rawButton(button, item, controller)),
    meta: "below",
  };
}

function parametersOf(components, type) {
  return components
    .filter((component) => component.type?.toLowerCase() === type)
    .flatMap(({ parameters = [] }) => parameters);
}

function headerOf(parameter, controller) {
  const kind = parameter.type === "gif" ? "video" : parameter.type;
  if (!["image", "video", "document", "text"].includes(kind)) return valueOf(parameter);
  return headerNode({ type: kind, text: parameter.text, [kind]: parameter[parameter.type] }, controller);
}

function valuesOf({ parameters = [] }) {
  const rows = parameters.flatMap((parameter, at) => [
    h("dt", {}, `{{${parameter.parameter_name ?? at + 1}}}`),
    h("dd", {}, valueOf(parameter)),
  ]);
  return h("dl.template-values", {}, rows);
}

function valueOf(parameter) {
  const value = parameter[parameter.type];
  if (typeof value === "string") return formatted(value);
  return formatted(value?.fallback_value ?? value?.name ?? parameter.type);
}

function rawButton({ sub_type: kind, index, parameters = [] }, item, controller) {
  const [parameter = {}] = parameters;
  if (kind !== "quick_reply") {
    const label = parameter.text ?? parameter.coupon_code ?? `Button ${Number(index) + 1}`;
    return choice(kind === "url" ? "open" : "form", label, null);
  }
  const payload = parameter.payload ?? "";
  return quickReply(payload || `Button ${Number(index) + 1}`, payload, item, controller);
}
