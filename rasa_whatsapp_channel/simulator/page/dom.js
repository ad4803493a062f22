// Building the page. Data only ever becomes text or attributes here, never markup.

/** Build an element: `h("button.round", {type: "button", onclick}, icon("send"), "Send")`. */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length > 0) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) setProp(node, key, value);
  node.append(...children.flat(2).filter((child) => isThere(child) && child !== ""));
  return node;
}

function setProp(node, key, value) {
  if (!isThere(value)) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key === "data") setData(node, value);
  else node.setAttribute(key, value === true ? "" : String(value));
}

function setData(node, data) {
  for (const [key, value] of Object.entries(data)) if (isThere(value)) node.dataset[key] = value;
}

function isThere(value) {
  return value !== undefined && value !== null && value !== false;
}

/** Let *node* have these children: those that are as before stay, with the focus. */
export function update(node, children) {
  children.forEach((child, at) => {
    const old = node.children[at];
    if (!old) node.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
  while (node.children.length > children.length) node.lastElementChild.remove();
}

const SVG = "http://www.w3.org/2000/svg";

/** Build an SVG element. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

// What points along the line: a page from right to left shows these the other way round.
const ALONG = new Set(["back", "next", "previous", "send", "reply", "list", "open", "beside"]);

/** Does the page run from right to left? */
export const isRightToLeft = () => document.documentElement.dir === "rtl";

/** *words* of a person or a bot inside a sentence of the page: each keeps its own direction. */
export const isolated = (words) => `\u2068${words}\u2069`;

/** One of the symbols in icons.svg; hidden from screen readers, so give the control a label. */
export function icon(name, className = "") {
  const node = svg("svg", { "aria-hidden": "true" }, svg("use", { href: `icons.svg#${name}` }));
  if (ALONG.has(name)) node.dataset.mirrored = "";
  if (className) node.setAttribute("class", className);
  return node;
}

/** A round button that shows an icon and says *label*. */
export function iconButton(name, label, onclick, props = {}) {
  return h(
    "button.round",
    { type: "button", "aria-label": label, title: label, onclick, ...props },
    icon(name),
  );
}

/** An address, whose lines break behind its slashes. */
export const addressNode = (address) =>
  h("code", {}, address.split(/(?<=\/)/).flatMap((part) => [part, h("wbr")]));

export function byId(id) {
  return document.getElementById(id);
}

/** The address if a click on it is harmless (http, https), else undefined. */
export function webLink(address) {
  if (!URL.canParse(String(address ?? ""))) return undefined;
  const { protocol } = new URL(address);
  return protocol === "http:" || protocol === "https:" ? address : undefined;
}
