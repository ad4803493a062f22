// Developer tools beside the phones, a drawer in a narrow window: connection, clock, faults,
// templates, events, costs, Rasa, and message details.

import { createClock } from "./devtools/clock.js";
import { createConnection } from "./devtools/connection.js";
import { createCosts } from "./devtools/costs.js";
import { createEvents } from "./devtools/events.js";
import { createFaults } from "./devtools/faults.js";
import { messageView } from "./devtools/message.js";
import { createRasa } from "./devtools/rasa.js";
import { createTemplates } from "./devtools/templates.js";
import { openDialog } from "./dialogs/dialog.js";
import { byId, h, icon, iconButton, isRightToLeft, update } from "./dom.js";

const FRAME = "devtools-panel";

/**
 * A panel is {name, label, symbol, node, refresh(what, change), isThere?, hasNews?}: `what` is what
 * has changed, as the state tells it, or "shown" when the panel comes into view.
 */
export function createDevtools(page) {
  const connection = createConnection(page);
  const panels = [
    connection,
    createClock(page),
    createFaults(page),
    createTemplates(page),
    createEvents(page),
    createCosts(page),
    createRasa(page),
  ];
  const aside = byId("devtools");
  const tabs = h("div.tabs", { role: "tablist", "aria-label": "Developer tools" });
  const nodes = new Map(panels.map((panel) => [panel, tabNode(panel)]));
  const frame = h("div.devtools-body", { id: FRAME });
  const head = h("div.devtools-head", {});
  const inner = h("div.devtools-inner", {}, head, frame);
  let shown = connection;
  let selected = null;
  let drawer = null;

  tabs.addEventListener("keydown", onKey);
  aside.append(inner);
  new ResizeObserver(place).observe(document.body);
  render();

  const isBeside = () => aside.offsetParent !== null || getComputedStyle(aside).display !== "none";

  /** The devtools is in the drawer while that is open, and else beside the phones. */
  function place() {
    if (drawer && isBeside()) drawer.close();
  }

  function render() {
    if (selected) {
      const view = messageView(selected, page);
      const old = frame.firstElementChild;
      if (old?.dataset.inspects === selected.id) {
        view.lastElementChild.open = old.lastElementChild.open; // all data
        return update(old, [...view.children]);
      }
      const back = iconButton("back", "Back", () => select(null), { class: "round devtools-close" });
      head.replaceChildren(back, h("h2", {}, "Message"));
      frame.removeAttribute("role");
      frame.removeAttribute("aria-labelledby");
      frame.replaceChildren(view);
      return;
    }
    drawTabs();
    head.replaceChildren(tabs);
    frame.setAttribute("role", "tabpanel");
    frame.setAttribute("aria-labelledby", `tab-${shown.name}`);
    if (frame.firstElementChild !== shown.node) frame.replaceChildren(shown.node);
    shown.refresh("shown");
  }

  /** The tabs stay the same elements, so that the focus stays where it is. */
  function drawTabs() {
    const there = panels.filter((panel) => panel.isThere?.() ?? true).map(drawnTab);
    const isSame = there.length === tabs.childElementCount && there.every((tab, at) => tab === tabs.children[at]);
    if (!isSame) tabs.replaceChildren(...there);
  }

  function drawnTab(panel) {
    const tab = nodes.get(panel);
    const isShown = panel === shown;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
    tab.toggleAttribute("data-news", Boolean(panel.hasNews?.()));
    return tab;
  }

  function tabNode(panel) {
    return h(
      "button.tab",
      {
        ...{ type: "button", role: "tab", id: `tab-${panel.name}`, "aria-controls": FRAME },
        onclick: () => show(panel),
      },
      icon(panel.symbol),
      panel.label,
    );
  }

  function show(panel) {
    shown = panel;
    render();
    frame.parentElement.scrollTop = 0;
  }

  function onKey({ key }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key] * (isRightToLeft() ? -1 : 1);
    if (!step) return;
    const all = [...tabs.children];
    const at = all.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
    all[(at + step + all.length) % all.length].click();
    tabs.querySelector("[aria-selected='true']").focus();
  }

  /** Show what is inside *item*; null shows the panel from before. */
  function select(item) {
    selected = item;
    markSelected(item);
    render();
    if (item && !isBeside()) openDrawer();
    else if (item) head.querySelector(".devtools-close").focus();
  }

  function openDrawer() {
    if (drawer?.node.open) return;
    const opened = openDialog({
      title: "Developer tools",
      className: "drawer",
      body: inner,
      onclose: () => {
        if (drawer !== opened) return; // it was opened anew before this one had gone
        drawer = null;
        aside.append(inner);
        if (selected) select(null);
      },
    });
    drawer = opened;
  }

  return {
    select,
    close: () => drawer?.close(),

    /** Show what the log says of *item*. */
    reveal(item) {
      this.open("connection");
      connection.reveal(item);
    },

    /** Show the devtools, with the panel *name* if one is named. */
    open(name) {
      select(null);
      const wanted = panels.find((panel) => panel.name === name);
      if (wanted) show(wanted);
      if (!isBeside()) openDrawer();
    },

    setConnected(isConnected) {
      connection.setConnected(isConnected);
    },

    /** Everything was read anew: the chosen message may be gone. */
    reload() {
      selected = page.state.messages.get(selected?.id) ?? null;
      markSelected(selected);
      render();
    },

    /** Something has changed: see `state.tell`. */
    refresh(what, change = {}) {
      if (selected && change.item === selected) render();
      if (selected) return;
      if (["faults", "clock", "weather"].includes(what)) drawTabs();
      shown.refresh(what, change);
    },
  };
}

function markSelected(item) {
  for (const node of document.querySelectorAll("article.selected")) {
    node.classList.remove("selected");
  }
  if (!item) return;
  document.querySelector(`[data-message-id="${CSS.escape(item.id)}"]`)?.classList.add("selected");
}
