// WhatsApp's formatting on the page.

import { h, webLink } from "../dom.js";
import { parse, parseInline } from "./markup.js";

const TAGS = { bold: "strong", italic: "em", strike: "s" };
const JUMBO_MOST = 3;
const FOLDED_FROM = 768; // characters
const FOLDED_LINES = 24;

/** *text* as WhatsApp shows it. */
export function formatted(text, className = "text") {
  const node = h(`div.${className}`, { dir: "auto" }, parse(String(text ?? "")).map(block));
  if (isJumbo(text)) node.classList.add("jumbo");
  return node;
}

/** *text* as a bubble shows it: a very long one behind "Read more", as phones do it. */
export function folded(text) {
  const node = formatted(text);
  const lines = String(text ?? "").split("\n").length;
  if (String(text ?? "").length <= FOLDED_FROM && lines <= FOLDED_LINES) return [node];
  node.classList.add("folded");
  const more = h("button.read-more", { type: "button", onclick: unfold }, "Read more");

  function unfold() {
    node.classList.remove("folded");
    more.remove();
  }

  return [node, more];
}

/** *text* on one line, with marks but without blocks: for previews. */
export function oneLine(text) {
  return parseInline(String(text ?? "").replace(/\s+/g, " ")).map(inline);
}

function block(part) {
  if (part.kind === "mono") return h("pre", {}, part.text);
  if (part.kind === "quote") return h("blockquote", { dir: "auto" }, part.children.map(inline));
  if (part.kind === "lines") return h("p", { dir: "auto" }, part.children.map(inline));
  const items = part.items.map((children) => h("li", { dir: "auto" }, children.map(inline)));
  return h(part.ordered ? "ol" : "ul", { start: part.start }, items);
}

function inline(node) {
  if (node.kind === "text") return node.text;
  if (node.kind === "code") return h("code", {}, node.text);
  if (node.kind === "link") return link(node);
  return h(TAGS[node.kind], {}, node.children.map(inline));
}

function link({ href, text }) {
  const address = webLink(href);
  if (!address) return text;
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

function isJumbo(text) {
  const bare = String(text ?? "").trim();
  if (
    !bare ||
    bare.length > 40 ||
    !/^[\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d\ufe0f\p{RI}\s]+$/u.test(bare)
  ) {
    return false;
  }
  return [...new Intl.Segmenter().segment(bare.replace(/\s/g, ""))].length <= JUMBO_MOST;
}
