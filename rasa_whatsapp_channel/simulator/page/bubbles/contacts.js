import { avatar } from "../avatar.js";
import { h } from "../dom.js";

export function contacts({ content }) {
  const people = Array.isArray(content) ? content : [];
  return { content: [h("div.contact-cards", {}, people.map(card))], meta: "below" };
}

function card(contact) {
  const name = contact.name?.formatted_name ?? "Contact";
  const work = [contact.org?.title, contact.org?.company].filter(Boolean).join(", ");
  return h(
    "div.contact",
    {},
    avatar(name),
    h(
      "div.contact-text",
      {},
      h("p.contact-name", { dir: "auto" }, name),
      work && h("p.quiet", { dir: "auto" }, work),
      list(contact.phones, "phone"),
      list(contact.emails, "email"),
      list(contact.urls, "url"),
      list(contact.addresses?.map(addressLine), "line"),
      contact.birthday && h("p.quiet", {}, `Born ${contact.birthday}`),
    ),
  );
}

function list(entries, key) {
  if (!entries?.length) return null;
  const lines = entries.map((entry) =>
    h(
      "li",
      { dir: "auto" },
      entry[key],
      entry.type && h("span.quiet", {}, ` ${entry.type.toLowerCase()}`),
    ),
  );
  return h("ul.contact-details", {}, lines);
}

function addressLine({ street, zip, city, state, country, type }) {
  const town = [zip, city].filter(Boolean).join(" ");
  return { line: [street, town, state, country].filter(Boolean).join(", "), type };
}
