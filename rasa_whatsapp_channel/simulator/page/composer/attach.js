// Attach menu: file pickers, forms for a location and a contact, and more message types.

import { openOthers } from "../dialogs/others.js";
import { h, icon, iconButton } from "../dom.js";

// name, symbol, words, what the file picker offers
const PICKERS = [
  ["image", "image", "Photo", "image/jpeg,image/png"],
  ["video", "video", "Video", "video/mp4,video/3gpp"],
  ["audio", "audio", "Audio", "audio/*"],
  ["document", "document", "Document", ""],
  ["sticker", "sticker", "Sticker", "image/webp"],
];

let menus = 0;

export function createAttachMenu({ controller, tray }) {
  menus += 1;
  const id = `attach-menu-${menus}`;
  const menu = h("ul.attach-menu", { id, hidden: true, "aria-label": "Attach" });
  const button = iconButton("plus", "Attach", () => setOpen(menu.hidden), {
    ...{ class: "round attach", "aria-expanded": "false", "aria-controls": id },
  });
  const entries = [
    ...PICKERS.map((picker) => pickerButton(...picker)),
    entry("location", "location", "Location", () => controller.askLocation()),
    entry("contact", "contacts", "Contact", () => controller.askContact()),
    entry("others", "more", "More", () => openOthers(controller)),
  ];
  menu.append(...entries.map((nodes) => h("li", {}, nodes)));

  function pickerButton(type, symbol, words, accept) {
    const input = h(`input.file-${type}`, { type: "file", accept, multiple: true, hidden: true });
    input.addEventListener("change", () => {
      tray.add([...input.files], type);
      input.value = "";
      setOpen(false);
      controller.node.querySelector(".composer-text").focus();
    });
    return [entry(type, symbol, words, () => input.click()), input];
  }

  function entry(name, symbol, words, onclick) {
    const go = () => {
      setOpen(false);
      onclick();
    };
    return h(
      `button.attach-entry.attach-${name}`,
      { type: "button", onclick: go },
      h("span.attach-icon", { data: { kind: name } }, icon(symbol)),
      words,
    );
  }

  function setOpen(open) {
    menu.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) menu.querySelector("button").focus();
  }

  document.addEventListener("click", ({ target }) => {
    if (!menu.contains(target) && !button.contains(target)) setOpen(false);
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    setOpen(false);
    button.focus();
  });
  /** What only the person sends is not on a colleague's phone. */
  function change() {
    menu.querySelector(".attach-others").hidden = controller.writer !== "person";
  }

  return { button, menu, change };
}
