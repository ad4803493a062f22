// JSON, formatted and coloured.

import { h, iconButton } from "./dom.js";

const TOKEN =
  /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function jsonTree(value) {
  const text = JSON.stringify(value, null, 2) ?? "undefined";
  const parts = [];
  let from = 0;
  for (const token of text.matchAll(TOKEN)) {
    parts.push(text.slice(from, token.index), ...coloured(token));
    from = token.index + token[0].length;
  }
  return h("pre.json", { tabindex: 0, dir: "ltr" }, h("code", {}, ...parts, text.slice(from)));
}

function coloured([whole, string, colon]) {
  if (colon) return [h("span.json-key", {}, string), colon];
  return [h(string ? "span.json-string" : "span.json-value", {}, whole)];
}

/** JSON with a button that copies it. */
export function jsonBlock(value, label) {
  const copy = async () => {
    await navigator.clipboard.writeText(JSON.stringify(value, null, 2));
    button.title = "Copied";
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  };
  const button = iconButton("copy", `Copy: ${label}`, copy);
  return h(
    "div.json-block",
    {},
    h("div.json-head", {}, h("p.json-title", {}, label), button),
    jsonTree(value),
  );
}
