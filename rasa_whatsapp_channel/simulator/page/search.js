// Search: which messages hold some words, and the bar that walks through them in one chat.

import { h, icon, iconButton } from "./dom.js";
import { paintFound } from "./found.js";
import { summaryOf } from "./summary.js";

// What nobody reads in a message.
const UNREAD = new Set(["id", "url", "link", "mime_type", "sha256", "type", "size", "message_id"]);
const WITHOUT_NAME = new Set(["image", "video", "sticker"]); // whose file name is not shown
const AHEAD = 6; // characters before what was found that are shown in one line

/** Does *item* hold *words*, in any case? */
export function holds(item, words) {
  const wanted = words.trim().toLocaleLowerCase();
  return wanted !== "" && textOf(item).toLocaleLowerCase().includes(wanted);
}

function textOf(item) {
  if (item.refused) return `${item.rule ?? ""} ${textIn(item.request?.body)}`;
  return `${summaryOf(item).text} ${textIn(item.content, item.type)} ${textIn(item.filled)}`;
}

function textIn(value, kind) {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value)
    .filter(([key]) => !UNREAD.has(key) && !(key === "filename" && WITHOUT_NAME.has(kind)))
    .map(([key, part]) => textIn(part, key))
    .join(" ");
}

/** What *item* says, from a little before *words*, so that one line shows them. */
export function textAround(item, words) {
  const at = (text) => text.toLocaleLowerCase().indexOf(words.toLocaleLowerCase());
  const { text: summary } = summaryOf(item);
  const text = (at(summary) === -1 ? textOf(item) : summary).replace(/\s+/g, " ");
  if (at(text) < AHEAD) return text;
  return `…${text.slice(text.lastIndexOf(" ", at(text) - AHEAD) + 1)}`;
}

/** A bar for the phone of *controller*: {node, open, close, follow}. */
export function createSearch(controller) {
  const field = h("input", {
    ...{ type: "search", placeholder: "Search", "aria-label": "Search the chat", dir: "auto" },
  });
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
  const messages = controller.node.querySelector(".messages");
  const drawing = { childList: true, subtree: true };
  let found = [];
  let at = 0;

  node.addEventListener("submit", (event) => {
    event.preventDefault();
    step(-1);
  });
  field.addEventListener("input", look);
  node.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  new MutationObserver(() => node.hidden || paint()).observe(messages, drawing);

  function find() {
    const { state, chat } = controller;
    found = state.thread(chat).filter((item) => holds(item, field.value));
  }

  function look() {
    find();
    at = found.length - 1;
    show();
  }

  /** Find what has come or changed, too; the message that is looked at stays. */
  function follow() {
    if (node.hidden) return;
    const current = found[at]?.id;
    find();
    at = found.findIndex(({ id }) => id === current);
    if (at === -1) return look();
    tell();
  }

  function step(by) {
    if (found.length === 0) return;
    at = (at + by + found.length) % found.length;
    show();
  }

  function show() {
    tell();
    if (found[at]) controller.show(found[at].id);
    paint();
  }

  function tell() {
    const none = field.value.trim() ? "None" : "";
    count.textContent = found.length ? `${at + 1} of ${found.length}` : none;
  }

  function close() {
    node.hidden = true;
    field.value = "";
    found = [];
    paint();
  }

  function paint() {
    paintFound(messages, field.value);
  }

  return {
    node,
    close,
    follow,

    open() {
      node.hidden = false;
      count.textContent = "";
      field.focus();
    },
  };
}
