// Dialogs, on the browser's own <dialog>: it keeps the focus inside and gives it back.

import { h, iconButton } from "../dom.js";

/** Open a dialog and return {close, node}. *className* is one of sheet, drawer, lightbox, form. */
export function openDialog({ title, body, className = "form", onclose }) {
  const node = h(
    `dialog.${className}`,
    { "aria-label": title },
    h(
      "div.dialog-head",
      {},
      h("h2", {}, title),
      iconButton("close", "Close", () => node.close()),
    ),
    h("div.dialog-body", {}, body),
  );
  node.addEventListener("click", (event) => event.target === node && node.close());
  node.addEventListener("close", () => {
    node.remove();
    onclose?.();
  });
  document.body.append(node);
  node.showModal();
  return { node, close: () => node.close() };
}

let fields = 0;

/**
 * Ask for values; resolves to {name: text}, or null when the dialog is closed.
 *
 * A field is {name, label, type?, value?, required?, placeholder?, hint?, …attributes}.
 */
export function ask({ title, text, fields: wanted = [], submit }) {
  return new Promise((resolve) => {
    const form = h(
      "form",
      { method: "dialog" },
      text && h("p.form-text", {}, text),
      wanted.map(fieldNode),
      h("div.form-end", {}, h("button.primary", { type: "submit" }, submit)),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      resolve(Object.fromEntries(new FormData(form)));
      dialog.close();
    });
    const dialog = openDialog({ title, body: form, onclose: () => resolve(null) });
    form.querySelector("input, textarea, button.primary").focus();
  });
}

function fieldNode({ name, label, hint, type = "text", value, ...rest }) {
  fields += 1;
  const id = `field-${fields}`;
  const described = hint && `${id}-hint`;
  const props = { id, name, "aria-describedby": described, autocomplete: "off", ...rest };
  const input =
    type === "textarea" ? h("textarea", props, value) : h("input", { type, value, ...props });
  return h(
    "div.field",
    {},
    h("label", { for: id }, label, rest.required ? null : h("span.quiet", {}, " optional")),
    input,
    hint && h("p.quiet", { id: described }, hint),
  );
}
