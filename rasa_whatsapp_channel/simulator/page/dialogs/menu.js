// Menus that drop down from a button.

import { h, icon, isRightToLeft } from "../dom.js";

/** Open a menu below *button*; a row is [symbol, words, act], or nothing. */
export function openMenu(button, rows) {
  const items = rows.filter(Boolean).map(([symbol, words, act, props = {}]) =>
    h(
      "button.menu-item",
      {
        ...{ type: "button", role: "menuitem", tabindex: -1 },
        ...props,
        onclick: () => {
          close();
          act();
        },
      },
      icon(symbol),
      words,
    ),
  );
  const menu = h("div.menu", { role: "menu", "aria-label": button.ariaLabel, popover: "auto" }, items);

  function close() {
    menu.hidePopover();
    button.focus();
  }

  menu.addEventListener("toggle", ({ newState }) => newState === "closed" && menu.remove());
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab") close();
    if (!step) return;
    event.preventDefault();
    const at = items.indexOf(document.activeElement);
    items[(at + step + items.length) % items.length].focus();
  });
  document.body.append(menu);
  menu.showPopover();
  place(menu, button);
  items[0].focus();
}

/** At the end of *button*, below it, or above where there is no room. */
function place(menu, button) {
  const { left, right, bottom, top } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const start = isRightToLeft() ? left : right - width;
  const isLow = bottom + height + 8 > innerHeight;
  menu.style.left = `${Math.max(8, Math.min(start, innerWidth - width - 8))}px`;
  menu.style.top = `${isLow ? Math.max(8, top - height - 4) : bottom + 4}px`;
}
