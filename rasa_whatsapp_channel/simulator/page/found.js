// Found words: the browser paints them over the text of the page, which stays as it is.

const places = new Map(); // of what was searched for in a node: ranges

// What is beside the words of people and bots.
const BESIDE = ".meta, .toolbar, .chat-side, .chat-owner, .spoken";

/** Paint *words* where they stand in *node*; none: paint nothing there any more. */
export function paintFound(node, words) {
  const wanted = words.trim().toLocaleLowerCase();
  if (!globalThis.Highlight || (wanted === "" && !places.has(node))) return;
  if (wanted === "") places.delete(node);
  else places.set(node, placesOf(node, wanted));
  CSS.highlights.set("found", new Highlight(...[...places.values()].flat()));
}

function placesOf(node, wanted) {
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.closest(BESIDE)) found.push(...placesIn(text, wanted));
  }
  return found;
}

function placesIn(text, wanted) {
  const lower = text.data.toLocaleLowerCase();
  if (lower.length !== text.length) return []; // some capitals become two letters
  const found = [];
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, at + wanted.length)) {
    const place = new Range();
    place.setStart(text, at);
    place.setEnd(text, at + wanted.length);
    found.push(place);
  }
  return found;
}
