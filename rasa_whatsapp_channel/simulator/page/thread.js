// Message list of one chat: draws those around what is looked at, and more on scrolling there.

import { renderMessage, refreshMessage } from "./bubbles/frame.js";
import { renderRefusal } from "./bubbles/refusal.js";
import { createToolbar } from "./bubbles/toolbar.js";
import { h } from "./dom.js";
import { dayName, dayOf } from "./times.js";

const PAGE = 60; // messages drawn at once
const DRAWN_MOST = 400; // messages drawn at the same time; those far from view are dropped
const GROUP = 300; // seconds within which messages of one side stand together
const NEAR = 80; // pixels from the end that count as being there
const AHEAD = 600; // pixels before the end of what is drawn at which more is drawn

export function createThread(controller) {
  const scroller = controller.node.querySelector(".messages");
  const toEnd = controller.node.querySelector(".to-end");
  const toEndCount = toEnd.querySelector(".badge");
  const inner = h("div.messages-inner");
  const typing = h("div.typing", { hidden: true, role: "status" }, typingDots());
  const earlier = h("button.further", { type: "button", onclick: showEarlier }, "Earlier messages");
  const later = h("button.further", { type: "button", onclick: showLater }, "Later messages");
  const toolbar = createToolbar(controller);
  let items = [];
  let from = 0; // the first one that is drawn
  let to = 0; // the first behind the drawn ones
  let nodes = new Map();
  let atEnd = true;
  let endTop = 0; // the scroll position that was the end when it was last seen
  let missed = 0;

  scroller.append(inner);
  scroller.addEventListener("scroll", onScroll, { passive: true });
  scroller.addEventListener("keydown", onKey);
  for (const event of ["mouseover", "focusin"]) inner.addEventListener(event, onPoint);
  toEnd.addEventListener("click", goToEnd);
  new ResizeObserver(() => atEnd && goToEnd()).observe(inner);
  new ResizeObserver(() => atEnd && goToEnd()).observe(scroller);
  showWhenNear(earlier, showEarlier);
  showWhenNear(later, showLater);

  function showWhenNear(button, show) {
    const options = { root: scroller, rootMargin: `${AHEAD}px 0px` };
    const observer = new IntersectionObserver((entries) => {
      if (!entries.at(-1).isIntersecting) return;
      show();
      observer.unobserve(button); // is told again where it is, also if it is near as before
      observer.observe(button);
    }, options);
    observer.observe(button);
  }

  /** Show *newItems*, a list that only grows; *empty* is its placeholder. */
  function show(newItems, empty) {
    items = newItems;
    drawOnly(Math.max(0, items.length - PAGE), items.length);
    if (items.length === 0 && empty) inner.append(empty);
    setCurrent([...nodes.values()].at(-1));
    goToEnd();
  }

  /** Draw the items from *start* to *end*, and no others. */
  function drawOnly(start, end) {
    [from, to] = [start, end];
    nodes = new Map();
    inner.replaceChildren(earlier, ...drawn(from, to), later, typing);
    showWhatIsLeft();
  }

  function showWhatIsLeft() {
    earlier.hidden = from === 0;
    later.hidden = to === items.length;
  }

  /** The last of the items is new. */
  function add() {
    const item = items.at(-1);
    if (to === items.length - 1) {
      later.before(...drawn(to, items.length));
      to = items.length;
      setCurrent(nodes.get(item.id));
      if (atEnd) dropFirst();
    }
    if (atEnd || item.direction === "inbound") goToEnd();
    else countMissed(missed + 1);
    showWhatIsLeft();
  }

  // Few are drawn at the same time: what is far above or below the drawn ones is dropped.

  function dropFirst() {
    if (to - from <= DRAWN_MOST) return;
    drop(items.slice(from, to - DRAWN_MOST));
    from = to - DRAWN_MOST;
  }

  function dropLast() {
    if (to - from <= DRAWN_MOST) return;
    drop(items.slice(from + DRAWN_MOST, to));
    to = from + DRAWN_MOST;
    atEnd = false;
  }

  function drop(dropped) {
    for (const { id } of dropped) {
      const node = nodes.get(id);
      if (node.previousElementSibling.matches(".day")) node.previousElementSibling.remove();
      node.remove();
      nodes.delete(id);
    }
  }

  function refresh(item) {
    const node = nodes.get(item.id);
    if (!node || item.refused) return;
    if (isChanged(node, item)) redraw(node, item);
    else refreshMessage(node, item, controller);
  }

  /** Draw *item* anew in the place of *node*: its writer has changed it. */
  function redraw(node, item) {
    const drawn = renderMessage(item, controller);
    drawn.classList.toggle("first", node.classList.contains("first"));
    if (node.tabIndex === 0) setCurrent(drawn);
    else keepFromTabbing(drawn);
    nodes.set(item.id, drawn);
    const hadFocus = node.contains(document.activeElement);
    node.replaceWith(drawn);
    if (hadFocus) focus(drawn);
  }

  function setTyping(isTyping) {
    typing.hidden = !isTyping;
  }

  /** Scroll to the message *id* and put the focus on it. */
  function goTo(id) {
    const node = scrollTo(id);
    if (node) focus(node);
    return Boolean(node);
  }

  /** Scroll to the message *id* and return its node. */
  function scrollTo(id) {
    const at = items.findIndex((item) => item.id === id);
    if (at === -1) return null;
    if (!nodes.has(id)) {
      const start = Math.max(0, at - PAGE / 2);
      drawOnly(start, Math.min(items.length, start + PAGE));
    }
    const node = nodes.get(id);
    atEnd = false; // before the scrolling is seen
    node.scrollIntoView({ block: "center" });
    node.classList.add("flash");
    setTimeout(() => node.classList.remove("flash"), 1600);
    return node;
  }

  function drawn(start, end) {
    return items.slice(start, end).flatMap((item, offset) => {
      const before = items[start + offset - 1];
      const node = item.refused ? renderRefusal(item, controller) : renderMessage(item, controller);
      nodes.set(item.id, node);
      if (startsGroup(item, before)) node.classList.add("first");
      keepFromTabbing(node);
      if (before && dayOf(before.timestamp) === dayOf(item.timestamp)) return [node];
      return [h("h3.day", {}, dayName(item.timestamp, controller.state.now() * 1000)), node];
    });
  }

  function showEarlier() {
    if (from === 0) return;
    const end = from;
    from = Math.max(0, from - PAGE);
    keepInPlace(nodes.get(items[end].id), () => {
      earlier.after(...drawn(from, end));
      dropLast();
      showWhatIsLeft();
    });
  }

  function showLater() {
    if (to === items.length) return;
    const start = to;
    to = Math.min(items.length, to + PAGE);
    keepInPlace(nodes.get(items[start - 1].id), () => {
      later.before(...drawn(start, to));
      dropFirst();
      showWhatIsLeft();
    });
  }

  /** Let *node* stay where it is on the screen, whatever *change* draws or drops around it. */
  function keepInPlace(node, change) {
    const before = node.getBoundingClientRect().top;
    change();
    scroller.scrollTop += node.getBoundingClientRect().top - before;
  }

  function goToEnd() {
    if (to < items.length) return show(items);
    atEnd = true;
    countMissed(0);
    scroller.scrollTop = scroller.scrollHeight;
    endTop = scroller.scrollTop;
    toEnd.hidden = true;
  }

  function onScroll() {
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    // A banner may have come in the same moment: only who scrolls up leaves the end.
    const isHeld = atEnd && scroller.scrollTop >= endTop;
    atEnd = to === items.length && (isHeld || below < NEAR);
    toEnd.hidden = atEnd;
    if (!atEnd) return;
    endTop = scroller.scrollTop;
    countMissed(0);
  }

  function countMissed(count) {
    missed = count;
    toEndCount.hidden = count === 0;
    toEndCount.textContent = count;
    toEnd.setAttribute(
      "aria-label",
      count ? `${count} new, go to the newest` : "Go to the newest message",
    );
  }

  // One message takes part in tabbing, with what is in it; the arrow keys move on.
  function setCurrent(node) {
    for (const other of inner.querySelectorAll("article[tabindex='0']")) {
      if (other !== node) keepFromTabbing(other);
    }
    if (node) letTab(node);
  }

  function focus(node) {
    setCurrent(node);
    node.focus({ preventScroll: true });
  }

  function onKey(event) {
    const node = event.target;
    if (node.tagName !== "ARTICLE") return;
    const all = [...inner.querySelectorAll("article")];
    const at = all.indexOf(node);
    const goal = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (goal === undefined || !all[goal]) return;
    event.preventDefault();
    focus(all[goal]);
    all[goal].scrollIntoView({ block: "nearest" });
  }

  function onPoint(event) {
    const node = event.target.closest?.("article.message");
    if (!node || toolbar.isBusy(event.type)) return;
    toolbar.attach(node, controller.state.messages.get(node.dataset.messageId));
    if (event.type === "focusin") setCurrent(node);
  }

  return { show, add, refresh, setTyping, goTo, scrollTo };
}

function startsGroup(item, before) {
  if (!before || before.refused || item.refused) return true;
  if (before.direction !== item.direction || before.by !== item.by) return true;
  return (
    item.timestamp - before.timestamp > GROUP || dayOf(before.timestamp) !== dayOf(item.timestamp)
  );
}

const CONTROLS = "a[href], button, summary, video, audio, input, [tabindex='0']:not(.cards)";

function keepFromTabbing(article) {
  article.tabIndex = -1;
  for (const control of article.querySelectorAll(CONTROLS)) {
    if (control.closest(".toolbar")) continue;
    control.tabIndex = -1;
    control.dataset.tab = "";
  }
}

function letTab(article) {
  article.tabIndex = 0;
  for (const control of article.querySelectorAll("[data-tab]")) {
    control.tabIndex = 0;
    delete control.dataset.tab;
  }
}

/** Was it edited or deleted since it was drawn? */
function isChanged(node, { content, edited, revoked }) {
  const wasRevoked = node.querySelector(".revoked") !== null;
  if (revoked) return !wasRevoked;
  return Boolean(edited) && node.querySelector(".text")?.textContent !== content.body;
}

function typingDots() {
  return h("div.typing-bubble", {}, h("span.spoken", {}, "Typing"), h("i"), h("i"), h("i"));
}
