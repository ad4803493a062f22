// Search: which messages hold some words, and the bar that walks through them in one chat.

import { h, icon, iconButton } from "./dom.js";
import { summaryOf } from "./summary.js";

// What nobody reads in a message.
const UNREAD = new Set(["id", "url", "link", "mime_type", "sha256", "type", "size", "message_id"]);

/** Does *item* hold *words*, in any case? */
export function holds(item, words) {
  const wanted = words.trim().toLocaleLowerCase();
  return wanted !== "" && textOf(item).toLocaleLowerCase().includes(wanted);
}

function textOf(item) {
  if (item.refused) return `${item.rule ?? ""} ${textIn(item.request?.body)}`;
  return `${summaryOf(item).text} ${textIn(item.content)} ${textIn(item.filled)}`;
}

function textIn(value) {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value)
    .filter(([key]) => !UNREAD.has(key))
    .map(([, part]) => textIn(part))
    .join(" ");
}

/** A bar for the phone of *controller*: {node, open}. */
export function createSearch(controller) {
  const field = h("input", { type: "search", placeholder: "Search", "aria-label": "Search the chat" });
  const count = h("span.search-count", { role: "status" });
  const node = h(
    "form.search",
    { hidden: true, role: "search" },
    icon("search"),
    field,
    count,
    iconButton("up", "Earlier", () => step(-1)),
    iconButton("down", "Later", () => step(1)),
    iconButton("close", "Close the search", close),
  );
  let found = [];
  let at = 0;

  node.addEventListener("submit", (event) => {
    event.preventDefault();
    step(-1);
  });
  field.addEventListener("input", look);
  node.addEventListener("keydown", ({ key }) => key === "Escape" && close());

  function look() {
    const { state, chat } = controller;
    found = state.thread(chat).filter((item) => holds(item, field.value));
    at = found.length - 1;
    show();
  }

  function step(by) {
    if (found.length === 0) return;
    at = (at + by + found.length) % found.length;
    show();
  }

  function show() {
    const none = field.value.trim() ? "None" : "";
    count.textContent = found.length ? `${at + 1} of ${found.length}` : none;
    if (found[at]) controller.show(found[at].id);
  }

  function close() {
    node.hidden = true;
    field.value = "";
    found = [];
  }

  return {
    node,
    close,

    open() {
      node.hidden = false;
      count.textContent = "";
      field.focus();
    },
  };
}
