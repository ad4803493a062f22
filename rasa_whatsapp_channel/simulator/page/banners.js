// Banners above the chat: problems, and how to fix them.

import { h, icon } from "./dom.js";

const shown = new Map();

/** Show the banner *name* on every phone: {title, text?, action?: [label, onclick]}. */
export function showBanner(name, banner) {
  shown.set(name, banner);
  refill();
}

export function hideBanner(name) {
  if (shown.delete(name)) refill();
}

/** Put the banners of now into *node*: of a phone that has just come. */
export function fillBanners(node) {
  node.replaceChildren(...[...shown].map(([name, banner]) => bannerNode(name, banner)));
}

function refill() {
  document.querySelectorAll(".phone .banners").forEach(fillBanners);
}

function bannerNode(name, { title, text, action }) {
  return h(
    "div.banner",
    { data: { banner: name } },
    icon("warning"),
    h("div", {}, h("strong", {}, title), text && h("p", {}, text)),
    action && h("button.small", { type: "button", onclick: action[1] }, action[0]),
  );
}
