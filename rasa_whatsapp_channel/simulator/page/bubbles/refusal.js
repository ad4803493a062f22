// Messages that were not sent: refused by WhatsApp, or dead letters of the channel.

import { h, icon } from "../dom.js";
import { jsonBlock } from "../json.js";
import { summaryOf } from "../summary.js";
import { timeOf } from "../times.js";

const TITLES = {
  whatsapp: "Not sent: refused by WhatsApp",
  channel: "Not sent: dead letter of the channel",
};

export function renderRefusal(item, controller) {
  const code = item.code ?? undefined;
  const error = item.answer?.error ?? item.answer?.errors?.[0] ?? {};
  const said = [
    error.code ?? code,
    error.error_data?.details ?? error.details ?? error.message ?? error.title,
  ];
  return h(
    "article.refusal",
    {
      ...{ tabindex: -1, "aria-label": "Unsent message" },
      data: { refused: "", by: item.by, code: error.code ?? code, refusal: item.id },
    },
    h(
      "p.refusal-title",
      {},
      icon("warning"),
      h("strong", {}, TITLES[item.by] ?? TITLES.whatsapp),
      h("time", {}, timeOf(item.timestamp)),
    ),
    whatOf(item),
    item.rule && h("p.refusal-rule", { dir: "auto" }, item.rule),
    saidLine(said, item.rule),
    item.answer &&
      h(
        "button.refusal-log",
        { type: "button", onclick: () => controller.reveal(item) },
        "In the log",
      ),
    item.request &&
      h(
        "details",
        {},
        h("summary", {}, item.answer ? "Request and answer" : "Message"),
        jsonBlock(item.request, "Request"),
        item.answer && jsonBlock(item.answer, "Answer"),
      ),
  );
}

/** The message in a few words, and the response it was. */
function whatOf({ request, response }) {
  const { type, ...body } = request?.body ?? {};
  if (!type && !response) return null;
  const { icon: symbol, text } = type ? summaryOf({ type, content: body[type] }) : { text: "" };
  return h(
    "p.refusal-what",
    {},
    symbol && icon(symbol),
    h("bdi.line", {}, text),
    response && h("code", {}, response),
  );
}

/** Code and words of WhatsApp's, as far as they say more than the rule. */
function saidLine([code, words], rule) {
  const line = [code && `Error ${code}`, words !== rule && words].filter(Boolean).join(" · ");
  return line && h("p.refusal-said", { dir: "auto" }, line);
}
