// Templates. A message carries the template's name and values, not its words: those lie at Meta.

import { h, icon } from "../dom.js";
import { formatted } from "../format/render.js";
import { choice } from "./choices.js";
import { headerNode } from "./parts.js";

export function template(item, desk) {
  const { name, language, components = [] } = item.content;
  const of = (type) => components.filter((component) => component.type === type);
  const label = [name, language?.code].filter(Boolean).join(" · ");
  return {
    content: [
      h("p.template-name", {}, icon("form"), label),
      of("header").flatMap((header) =>
        (header.parameters ?? []).map((value) => headerOf(value, desk)),
      ),
      of("body").map(values),
    ].flat(2),
    choices: of("button").map((button) => buttonOf(button, item, desk)),
    meta: "below",
  };
}

function headerOf(parameter, desk) {
  const kind = parameter.type === "gif" ? "video" : parameter.type;
  if (!["image", "video", "document", "text"].includes(kind)) return valueOf(parameter);
  return headerNode({ type: kind, text: parameter.text, [kind]: parameter[parameter.type] }, desk);
}

function values({ parameters = [] }) {
  const rows = parameters.flatMap((parameter, at) => [
    h("dt", {}, `{{${parameter.parameter_name ?? at + 1}}}`),
    h("dd", {}, valueOf(parameter)),
  ]);
  return h("dl.template-values", {}, rows);
}

function valueOf(parameter) {
  const value = parameter[parameter.type];
  if (typeof value === "string") return formatted(value);
  return formatted(value?.fallback_value ?? value?.name ?? parameter.type);
}

function buttonOf({ sub_type: kind, index, parameters = [] }, item, desk) {
  const [parameter = {}] = parameters;
  if (kind !== "quick_reply") {
    const label = parameter.text ?? parameter.coupon_code ?? `Button ${Number(index) + 1}`;
    return choice(kind === "url" ? "open" : "form", label, null);
  }
  const payload = parameter.payload ?? "";
  const text = payload || `Button ${Number(index) + 1}`;
  return choice("reply", text, () => desk.answer(item, "button", { payload, text }), {
    replyId: payload,
  });
}
