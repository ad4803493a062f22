// The bench beside the phone: the connection, and what is inside a message.
// On small screens it opens as a drawer.

import { connectionView } from "./bench/connection.js";
import { messageView } from "./bench/message.js";
import { openDialog } from "./dialogs/dialog.js";
import { byId, h, iconButton } from "./dom.js";

const BESIDE = matchMedia("(min-width: 1180px)");

export function createBench(desk) {
  let selected = null;
  let drawer = null;
  let isConnected = false;

  BESIDE.addEventListener("change", () => {
    drawer?.close();
    render();
  });

  function content() {
    return selected ? messageView(selected, desk) : connectionView(desk.state, isConnected);
  }

  function render() {
    byId("bench").replaceChildren(...(BESIDE.matches ? [head(), content()] : []));
    drawer?.node.querySelector(".dialog-body").replaceChildren(content());
  }

  function head() {
    const title = h("h2", {}, selected ? "Message" : "Connection");
    const back = () => select(null);
    const close = iconButton("close", "Back to the connection", back, { id: "bench-close" });
    return h("div.bench-head", {}, title, selected && close);
  }

  /** Show what is inside *item*; null shows the connection. */
  function select(item) {
    selected = item;
    markSelected(item);
    render();
    if (!BESIDE.matches) openDrawer();
    else if (item) byId("bench-close").focus();
  }

  function openDrawer() {
    drawer = openDialog({
      title: selected ? "Message" : "Connection",
      className: "drawer",
      body: content(),
      onclose: () => {
        drawer = null;
        selected = null;
        markSelected(null);
      },
    });
  }

  return {
    select,
    openConnection: () => select(null),

    setConnected(connected) {
      isConnected = connected;
      if (!selected) render();
    },

    /** Everything was read anew: the message in hand may be gone. */
    reload() {
      selected = desk.state.messages.get(selected?.id) ?? null;
      markSelected(selected);
      render();
    },

    /** *item* has changed: its status, or a reaction. */
    refresh: (item) => item === selected && render(),

    /** There was a delivery. A message in hand stays as it is. */
    refreshConnection: () => !selected && render(),
  };
}

function markSelected(item) {
  for (const node of document.querySelectorAll("article.selected")) {
    node.classList.remove("selected");
  }
  if (!item) return;
  document.querySelector(`[data-message-id="${CSS.escape(item.id)}"]`)?.classList.add("selected");
}
