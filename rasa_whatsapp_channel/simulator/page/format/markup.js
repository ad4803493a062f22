// WhatsApp's formatting as a tree: *bold*, _italic_, ~strike~, `code`, ```mono```, lists, quotes and
// links. Pure: text in, plain objects out. render.js makes the page of it.

const MARKS = { "*": "bold", _: "italic", "~": "strike" };
const LINK = /(?:https?:\/\/|www\.)[^\s<>"]+/iy;
const AFTER_LINK = /[.,;:!?'"*_~`]+$/;
const WORD = /[\p{L}\p{N}]/u;
const FENCE = /```([\s\S]+?)```/g;
const BULLET = /^[*\-•] +(?=\S)/;
const NUMBER = /^(\d{1,3})\. +(?=\S)/;
const QUOTE = /^> ?/;

const isWord = (character) => character !== undefined && WORD.test(character);
const isSpace = (character) => character === undefined || /\s/.test(character);

/** Blocks: {kind: lines|quote|list|mono, …}; lists hold items, the others children. */
export function parse(text) {
  const blocks = [];
  let from = 0;
  for (const fence of text.matchAll(FENCE)) {
    if (!fence[1].includes("\n")) continue; // stays inside its line
    blocks.push(...parseLines(text.slice(from, fence.index).replace(/\n$/, "")));
    blocks.push({ kind: "mono", text: fence[1].replace(/^\n|\n$/g, "") });
    from = fence.index + fence[0].length;
    if (text[from] === "\n") from += 1;
  }
  blocks.push(...parseLines(text.slice(from)));
  return blocks;
}

function parseLines(text) {
  if (text === "") return [];
  const blocks = [];
  for (const line of text.split("\n")) addLine(blocks, line);
  return blocks;
}

function addLine(blocks, line) {
  const last = blocks.at(-1);
  const [kind, rest, start] = kindOf(line);
  const children = parseInline(rest);
  if (kind === "list") addItem(blocks, children, start);
  else if (last?.kind === kind) last.children.push({ kind: "text", text: "\n" }, ...children);
  else blocks.push({ kind, children });
}

function kindOf(line) {
  const number = NUMBER.exec(line);
  if (number) return ["list", line.slice(number[0].length), Number(number[1])];
  const mark = BULLET.exec(line);
  if (mark) return ["list", line.slice(mark[0].length), undefined];
  if (QUOTE.test(line)) return ["quote", line.replace(QUOTE, "")];
  return ["lines", line];
}

function addItem(blocks, children, start) {
  const last = blocks.at(-1);
  const ordered = start !== undefined;
  if (last?.kind === "list" && last.ordered === ordered) last.items.push(children);
  else blocks.push({ kind: "list", ordered, start, items: [children] });
}

/** Inline nodes: {kind: text|code|link|bold|italic|strike, …}. */
export function parseInline(text) {
  const nodes = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const found = markAt(text, at);
    if (!found) {
      plain += text[at];
      at += 1;
      continue;
    }
    if (plain) nodes.push({ kind: "text", text: plain });
    plain = "";
    nodes.push(found.node);
    at = found.end;
  }
  if (plain) nodes.push({ kind: "text", text: plain });
  return nodes;
}

function markAt(text, at) {
  const character = text[at];
  if (character === "`") return codeAt(text, at);
  if (character in MARKS) return spanAt(text, at, character);
  if (!isWord(text[at - 1])) return linkAt(text, at);
  return null;
}

function codeAt(text, at) {
  const mark = text.startsWith("```", at) ? "```" : "`";
  const end = text.indexOf(mark, at + mark.length);
  if (end <= at + mark.length) return null;
  const inside = text.slice(at + mark.length, end);
  if (!inside.trim()) return null;
  return { node: { kind: "code", text: inside }, end: end + mark.length };
}

function spanAt(text, at, mark) {
  if (isWord(text[at - 1]) || isSpace(text[at + 1]) || text[at + 1] === mark) return null;
  for (let end = text.indexOf(mark, at + 2); end !== -1; end = text.indexOf(mark, end + 1)) {
    if (isSpace(text[end - 1]) || isWord(text[end + 1])) continue;
    const children = parseInline(text.slice(at + 1, end));
    return { node: { kind: MARKS[mark], children }, end: end + 1 };
  }
  return null;
}

function linkAt(text, at) {
  LINK.lastIndex = at;
  const match = LINK.exec(text);
  if (!match) return null;
  const address = trimmed(match[0]);
  const href = /^www\./i.test(address) ? `https://${address}` : address;
  return { node: { kind: "link", text: address, href }, end: at + address.length };
}

/** A link without the punctuation around it; "(see http://a/b_(c))" keeps the bracket of "(c)". */
function trimmed(link) {
  let address = link.replace(AFTER_LINK, "");
  while (address.endsWith(")") && address.split(")").length > address.split("(").length) {
    address = address.slice(0, -1).replace(AFTER_LINK, "");
  }
  return address;
}
