// Dialogs and forms, on the browser's own <dialog>, which keeps the focus.

import { h, iconButton } from "../dom.js";

/** Open a dialog and return {close, node}. *className* is one of drawer, lightbox, form. */
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
 * Ask for values; resolves to {name: text, or files}, or null when the dialog is closed.
 *
 * *aside* is a node below the text. A field is {name, label, type?, value?, required?, placeholder?, hint?, …attributes}; *check*
 * gets the values and says in a sentence what is wrong with them.
 */
export function ask({ title, text, aside, fields: wanted = [], submit, check = () => null }) {
  return new Promise((resolve) => {
    const wrong = h("p.form-wrong", { role: "alert" });
    const form = h(
      "form",
      { method: "dialog" },
      text && h("p.form-text", {}, text),
      aside,
      wanted.map(fieldNode),
      wrong,
      h(
        "div.form-end",
        {},
        h("button.secondary", { type: "button", onclick: () => dialog.close() }, "Cancel"),
        h("button.primary", { type: "submit" }, submit),
      ),
    );
    form.addEventListener("input", () => (wrong.textContent = ""));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      for (const { name, files } of form.querySelectorAll("[type=file]")) values[name] = [...files];
      wrong.textContent = check(values) ?? "";
      if (wrong.textContent) return;
      resolve(values);
      dialog.close();
    });
    const dialog = openDialog({ title, body: form, onclose: () => resolve(null) });
    const first = form.querySelector("input, textarea, button.primary");
    first.focus();
    first.select?.(); // what is filled in is an example
  });
}

/** A labelled field: see `ask`. *options* ([value, words]) make it a choice. */
export function fieldNode({ name, label, hint, type = "text", value, options, ...rest }) {
  fields += 1;
  const id = `field-${fields}`;
  const described = hint && `${id}-hint`;
  const props = { id, name, "aria-describedby": described, autocomplete: "off", ...rest };
  const isOptional = !rest.required && !options && type !== "checkbox";
  return h(
    `div.field${type === "checkbox" ? ".check" : ""}`,
    {},
    h("label", { for: id }, label, isOptional && h("span.quiet", {}, " optional")),
    inputNode({ type, value, options }, props),
    hint && h("p.quiet", { id: described }, hint),
  );
}

function inputNode({ type, value, options }, props) {
  if (options) {
    const nodes = options.map(([one, words]) =>
      h("option", { value: one, selected: one === value }, words),
    );
    return h("select", props, nodes);
  }
  if (type === "textarea") return h("textarea", { dir: "auto", ...props }, value);
  return h("input", { type, value, dir: type === "text" ? "auto" : undefined, ...props });
}
