// Sheets from below, inside a phone: the rows of a list, the items of a product list, more to send.

import { h, iconButton } from "../dom.js";

/**
 * Slide a sheet over the screen of *phone*; return {close}. *end* stays visible below *body*. What
 * is behind it cannot be used meanwhile.
 */
export function openSheet(phone, { title, body, end }) {
  const screen = phone.querySelector(".screen");
  const opener = document.activeElement;
  phone.querySelector(".sheet-place")?.dispatchEvent(new Event("close"));
  const sheet = h(
    "section.sheet",
    { role: "dialog", "aria-label": title },
    h(
      "div.dialog-head",
      {},
      h("h2", { dir: "auto" }, title),
      iconButton("close", "Close", () => close()),
    ),
    h("div.dialog-body", { tabindex: -1 }, body),
    end && h("div.sheet-end", {}, end),
  );
  const place = h("div.sheet-place", {}, sheet);
  place.addEventListener("click", ({ target }) => target === place && close());
  place.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  place.addEventListener("close", close);

  function close() {
    place.remove();
    for (const behind of screen.children) behind.inert = false;
    if (opener?.isConnected) opener.focus({ preventScroll: true });
  }

  for (const behind of screen.children) behind.inert = true;
  screen.append(place);
  const first = sheet.querySelector(".dialog-body :is(input, button)");
  (first ?? sheet.querySelector(".dialog-head button")).focus();
  return { close };
}

/** Show the rows of a list message; *send* gets the row that was chosen. */
export function openList(phone, item, send) {
  const { action, header, body } = item.content;
  const rows = action.sections.flatMap((section) => section.rows);
  const button = h("button.primary", { type: "button", disabled: true, onclick: sendChosen }, "Send");
  const sections = action.sections.map((section) =>
    sectionNode(
      section.title,
      section.rows.map((row) => rowNode(row)),
    ),
  );
  const form = h("form", {}, intro(body), ...sections);
  form.addEventListener("change", () => {
    button.disabled = false;
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  const title = header?.text || action.button;
  const sheet = openSheet(phone, { title, body: form, end: button });

  function sendChosen() {
    const chosen = new FormData(form).get("row");
    sheet.close();
    send(rows.find(({ id }) => id === chosen));
  }
}

/** Show the items of a product list. */
export function openProducts(phone, item) {
  const { action, header } = item.content;
  const sections = action.sections.map((section) =>
    sectionNode(
      section.title,
      section.product_items.map((product) => h("p.row", {}, product.product_retailer_id)),
    ),
  );
  openSheet(phone, { title: header?.text ?? "Items", body: sections });
}

const intro = (body) => body?.text && h("p.form-text", { dir: "auto" }, body.text);

function sectionNode(title, rows) {
  return h("section", {}, title && h("h3", { dir: "auto" }, title), h("div.rows", {}, rows));
}

function rowNode({ id, title, description }) {
  return h(
    "label.row.chosen-row",
    { data: { rowId: id } },
    h(
      "span",
      {},
      h("span.row-title", { dir: "auto" }, title),
      description && h("span.quiet", { dir: "auto" }, description),
    ),
    h("input", { type: "radio", name: "row", value: id }),
  );
}
