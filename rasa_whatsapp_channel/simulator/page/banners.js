// Strips above the chat that say what is wrong, and what to do.

import { byId, h, icon } from "./dom.js";

const shown = new Map();

/** Show the banner *name*: {title, text?, action?: [label, onclick]}. Replaces the one before. */
export function showBanner(name, { title, text, action }) {
  const node = h(
    "div.banner",
    { data: { banner: name } },
    icon("warning"),
    h("div", {}, h("strong", {}, title), text && h("p", {}, text)),
    action && h("button.small", { type: "button", onclick: action[1] }, action[0]),
  );
  const before = shown.get(name);
  if (before) before.replaceWith(node);
  else byId("banners").append(node);
  shown.set(name, node);
}

export function hideBanner(name) {
  shown.get(name)?.remove();
  shown.delete(name);
}
