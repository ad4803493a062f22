// Bottom sheets: the rows of a list, the items of a product list.

import { h } from "../dom.js";
import { openDialog } from "./dialog.js";

/** Show the rows of a list message; *choose* gets the row that was tapped. */
export function openList(item, choose) {
  const { action, header, body } = item.content;
  const sections = action.sections.map((section) =>
    sectionNode(
      section.title,
      section.rows.map((row) => rowNode(row, pick)),
    ),
  );
  const title = header?.text || action.button;
  const sheet = openDialog({ title, className: "sheet", body: [intro(body), ...sections] });

  function pick(row) {
    sheet.close();
    choose(row);
  }
}

/** Show the items of a product list. */
export function openProducts(item) {
  const { action, header } = item.content;
  const sections = action.sections.map((section) =>
    sectionNode(
      section.title,
      section.product_items.map((product) => h("p.row", {}, product.product_retailer_id)),
    ),
  );
  openDialog({ title: header?.text ?? "Items", className: "sheet", body: sections });
}

const intro = (body) => body?.text && h("p.form-text", { dir: "auto" }, body.text);

function sectionNode(title, rows) {
  return h("section", {}, title && h("h3", { dir: "auto" }, title), h("div.rows", {}, rows));
}

function rowNode(row, pick) {
  return h(
    "button.row",
    { type: "button", onclick: () => pick(row), data: { rowId: row.id } },
    h("span.row-title", { dir: "auto" }, row.title),
    row.description && h("span.quiet", { dir: "auto" }, row.description),
  );
}
