// The attach menu: file pickers, and the forms for a location and a contact.

import { h, icon, iconButton } from "../dom.js";

// name, symbol, words, what the file picker offers
const PICKERS = [
  ["image", "image", "Photo", "image/jpeg,image/png"],
  ["video", "video", "Video", "video/mp4,video/3gpp"],
  ["audio", "audio", "Audio", "audio/*"],
  ["document", "document", "Document", ""],
  ["sticker", "sticker", "Sticker", "image/webp"],
];

export function createAttachMenu({ desk, tray }) {
  const menu = h("ul.attach-menu", { id: "attach-menu", hidden: true, "aria-label": "Attach" });
  const button = iconButton("plus", "Attach", () => setOpen(menu.hidden), {
    id: "attach",
    "aria-expanded": "false",
    "aria-controls": "attach-menu",
  });
  menu.append(
    ...PICKERS.map((picker) => h("li", {}, pickerButton(...picker))),
    h(
      "li",
      {},
      entry("location", "location", "Location", () => desk.askLocation()),
    ),
    h(
      "li",
      {},
      entry("contact", "contacts", "Contact", () => desk.askContact()),
    ),
  );

  function pickerButton(type, symbol, words, accept) {
    const input = h("input", {
      type: "file",
      id: `file-${type}`,
      accept,
      multiple: true,
      hidden: true,
    });
    input.addEventListener("change", () => {
      tray.add([...input.files], type);
      input.value = "";
      setOpen(false);
      document.getElementById("composer-text").focus();
    });
    return [entry(type, symbol, words, () => input.click()), input];
  }

  function entry(name, symbol, words, onclick) {
    const go = () => {
      setOpen(false);
      onclick();
    };
    return h(
      "button.attach-entry",
      { type: "button", id: `attach-${name}`, onclick: go },
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
  return { button, menu };
}
