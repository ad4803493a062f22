// What the platform refused: it never reached the phone, but its author wants to know.

import { h, icon } from "../dom.js";
import { jsonBlock } from "../json.js";
import { timeOf } from "../times.js";

export function renderRefusal(item) {
  const error = item.answer?.error ?? item.answer?.errors?.[0] ?? {};
  const said = [
    error.code,
    error.error_data?.details ?? error.details ?? error.message ?? error.title,
  ];
  return h(
    "article.refusal",
    { tabindex: -1, data: { refused: "", code: error.code }, "aria-label": "Refused message" },
    h(
      "p.refusal-title",
      {},
      icon("warning"),
      h("strong", {}, "Not sent: WhatsApp refuses this"),
      h("time", {}, timeOf(item.timestamp)),
    ),
    item.rule && h("p.refusal-rule", { dir: "auto" }, item.rule),
    said[1] &&
      said[1] !== item.rule &&
      h("p.refusal-said", { dir: "auto" }, said.filter(Boolean).join(" · ")),
    h(
      "details",
      {},
      h("summary", {}, "Request and answer"),
      jsonBlock(item.request ?? null, "Request"),
      jsonBlock(item.answer ?? null, "Answer"),
    ),
  );
}
