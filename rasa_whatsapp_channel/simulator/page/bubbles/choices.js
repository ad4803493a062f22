// Rows below a message that can be tapped.

import { h, icon, webLink } from "../dom.js";

/** A row; without *onclick* it shows what a phone would, but cannot be tapped here. */
export function choice(symbol, label, onclick, { replyId, haspopup } = {}) {
  return h(
    "button.choice",
    {
      type: "button",
      onclick,
      disabled: !onclick,
      title: onclick ? undefined : "Not in the simulator yet",
      "aria-haspopup": haspopup && "dialog",
      data: { replyId },
    },
    icon(symbol, "choice-icon"),
    icon("check", "choice-check"),
    h("span", { dir: "auto" }, label),
  );
}

/** A row that opens a web page. */
export function linkChoice(label, address) {
  const href = webLink(address);
  if (!href) return choice("open", label, null);
  const props = { href, title: href, target: "_blank", rel: "noopener noreferrer" };
  return h("a.choice", props, icon("open", "choice-icon"), h("span", { dir: "auto" }, label));
}

/** Show in *node* which of its replies were tapped. */
export function markTaps(node, taps) {
  for (const button of node.querySelectorAll("[data-reply-id]")) {
    const tapped = taps.has(button.dataset.replyId);
    button.classList.toggle("tapped", tapped);
    button.setAttribute("aria-pressed", String(tapped));
  }
}
