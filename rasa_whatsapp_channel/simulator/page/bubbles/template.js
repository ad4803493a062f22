// Templates. A message carries the template's name and values; its words lie at Meta, and here in
// the simulator's folder. A template it does not know is shown by its values.

import { h, icon } from "../dom.js";
import { folded, formatted } from "../format/render.js";
import { filled } from "../format/template.js";
import { choice, linkChoice } from "./choices.js";
import { headerNode } from "./parts.js";

export function template(item, desk) {
  const { name, language, components = [] } = item.content;
  const known = desk.state.templateOf(item.content);
  const label = [name, language?.code].filter(Boolean).join(" · ");
  const of = (type) => components.filter((component) => component.type?.toLowerCase() === type);
  const inside = known ? words(known, of, desk) : values(of, desk);
  return {
    content: [h("p.template-name", {}, icon("form"), label), ...inside].flat(2),
    choices: known
      ? buttonsOf(known, of("button"), item, desk)
      : of("button").map((button) => rawButton(button, item, desk)),
    meta: "below",
  };
}

/** The template as a phone shows it, with the values in their places. */
function words({ components = [] }, of, desk) {
  const sent = (type) => of(type)[0]?.parameters ?? [];
  return components.map((component) => {
    const type = component.type?.toLowerCase();
    if (type === "header" && component.text)
      return h("p.header-text", { dir: "auto" }, filled(component.text, sent("header")));
    if (type === "header") return sent("header").map((value) => headerOf(value, desk));
    if (type === "body") return folded(filled(component.text, sent("body")));
    if (type === "footer") return h("p.footer", { dir: "auto" }, component.text);
    return [];
  });
}

function buttonsOf({ components = [] }, sent, item, desk) {
  const buttons = components.find(({ type }) => type?.toUpperCase() === "BUTTONS")?.buttons ?? [];
  return buttons.map((button, at) => {
    const own = sent.find(({ index }) => Number(index) === at);
    const [parameter = {}] = own?.parameters ?? [];
    const kind = button.type?.toUpperCase();
    if (kind === "URL") return linkChoice(button.text, filled(button.url, own?.parameters ?? []));
    if (kind !== "QUICK_REPLY")
      return choice(kind === "PHONE_NUMBER" ? "phone" : "copy", button.text, null);
    return quickReply(button.text, parameter.payload ?? button.text, item, desk);
  });
}

function quickReply(text, payload, item, desk) {
  return choice("reply", text, () => desk.answer(item, "button", { payload, text }), {
    replyId: payload,
  });
}

function values(of, desk) {
  const headers = of("header").flatMap(({ parameters = [] }) => parameters);
  return [...headers.map((value) => headerOf(value, desk)), ...of("body").map(valuesOf)];
}

function headerOf(parameter, desk) {
  const kind = parameter.type === "gif" ? "video" : parameter.type;
  if (!["image", "video", "document", "text"].includes(kind)) return valueOf(parameter);
  return headerNode({ type: kind, text: parameter.text, [kind]: parameter[parameter.type] }, desk);
}

function valuesOf({ parameters = [] }) {
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

function rawButton({ sub_type: kind, index, parameters = [] }, item, desk) {
  const [parameter = {}] = parameters;
  if (kind !== "quick_reply") {
    const label = parameter.text ?? parameter.coupon_code ?? `Button ${Number(index) + 1}`;
    return choice(kind === "url" ? "open" : "form", label, null);
  }
  const payload = parameter.payload ?? "";
  return quickReply(payload || `Button ${Number(index) + 1}`, payload, item, desk);
}
