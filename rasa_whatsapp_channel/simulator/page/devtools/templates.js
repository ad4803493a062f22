// Message templates and their approval status.

import * as api from "../api.js";
import { h, icon } from "../dom.js";
import { formatted } from "../format/render.js";
import { toast } from "../toasts.js";

const STATUSES = [
  ...["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL"],
  ...["LIMIT_EXCEEDED", "ARCHIVED", "PENDING_DELETION", "DELETED"],
];

export function createTemplates({ state }) {
  const list = h("ul.templates");
  const none = h(
    "div.panel-empty",
    {},
    icon("form"),
    h("p", {}, "No templates yet."),
    h(
      "p.quiet",
      {},
      "Put YAML files of them into a folder and start the simulator with --templates FOLDER.",
    ),
  );
  const node = h("div.panel", {}, list, none);

  function draw() {
    const templates = state.templates ?? [];
    none.hidden = templates.length > 0;
    list.replaceChildren(...templates.map(templateNode));
  }

  function templateNode(template) {
    const { name, language, category, status, components = [] } = template;
    const quality = template.quality_score?.score?.toLowerCase() ?? "unknown";
    const facts = [
      language,
      category?.toLowerCase(),
      quality !== "unknown" && `quality ${quality}`,
      template.rejected_reason !== "NONE" && template.rejected_reason,
    ];
    const options = STATUSES.map((one) =>
      h("option", { value: one, selected: one === status }, one.toLowerCase().replace("_", " ")),
    );
    const select = h("select", { "aria-label": `Status of ${name}` }, options);
    select.addEventListener("change", () => {
      api.setTemplateStatus(template, select.value).catch((error) => {
        toast(error.message);
        draw();
      });
    });
    return h(
      "li.template-card",
      { data: { template: name, status } },
      h(
        "div.template-head",
        {},
        h("code.template-title", {}, name),
        h("span.state", { data: { status: status === "APPROVED" ? "good" : "bad" } }, select),
      ),
      h("p.quiet", {}, facts.filter(Boolean).join(" · ")),
      h("div.template-preview", {}, components.map(componentNode)),
    );
  }

  return {
    ...{ name: "templates", label: "Templates", symbol: "form", node },
    isThere: () => state.templates !== undefined,
    refresh: (what) => ["shown", "templates"].includes(what) && draw(),
  };
}

function componentNode({ type, format, text, buttons = [] }) {
  const kind = type?.toUpperCase();
  if (kind === "HEADER" && text) return h("p.header-text", { dir: "auto" }, text);
  if (kind === "HEADER")
    return h("p.template-media", {}, icon(symbolOf(format)), format?.toLowerCase());
  if (kind === "BODY") return formatted(text);
  if (kind === "FOOTER") return h("p.footer", { dir: "auto" }, text);
  if (kind === "BUTTONS") {
    return h(
      "p.template-buttons",
      {},
      buttons.map((button) => h("span", { dir: "auto" }, button.text ?? button.type)),
    );
  }
  return null;
}

const symbolOf = (format = "") =>
  ({ IMAGE: "image", VIDEO: "video", DOCUMENT: "document", LOCATION: "location" })[
    format.toUpperCase()
  ] ?? "form";
