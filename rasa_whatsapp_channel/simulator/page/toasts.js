// Toasts: short error messages.

import { byId, h, iconButton } from "./dom.js";

const SECONDS = 8;

export function toast(text) {
  const close = iconButton("close", "Close", () => node.remove());
  const node = h("div.toast", {}, h("p", { dir: "auto" }, text), close);
  byId("toasts").append(node);
  setTimeout(() => node.remove(), SECONDS * 1000);
}
