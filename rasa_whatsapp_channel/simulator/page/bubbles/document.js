import { h, icon } from "../dom.js";
import { folded } from "../format/render.js";
import { endingOf, sizeOf } from "../format/sizes.js";

// Kinds of documents people know by their colour.
const KINDS = {
  PDF: "red",
  DOC: "blue",
  DOCX: "blue",
  ODT: "blue",
  XLS: "green",
  XLSX: "green",
  CSV: "green",
  PPT: "orange",
  PPTX: "orange",
};

export function document({ content }) {
  const nodes = [card(content)];
  if (!content.caption) return { content: nodes, meta: "below" };
  return { content: [...nodes, ...folded(content.caption)], meta: "inline" };
}

/** A card that downloads the document. */
export function card(media) {
  const name = media.filename || "Document";
  const ending = endingOf(name) || endingOf(media.mime_type?.replace("/", "."));
  const details = [ending, sizeOf(media.size)].filter(Boolean).join(" · ");
  const link = { href: media.url, target: "_blank", rel: "noopener", download: name };
  return h(
    media.url ? "a.document" : "div.document",
    media.url ? link : {},
    h(
      "span.paper",
      { data: { kind: KINDS[ending] ?? "grey" } },
      icon("document"),
      h("b", {}, ending),
    ),
    h(
      "span.document-text",
      {},
      h("span.document-name", { dir: "auto" }, name),
      h("span.quiet", {}, media.url ? details || "Open" : "Cannot be shown"),
    ),
  );
}
