// Files to send, each with its message type.

import { h, icon, iconButton } from "../dom.js";
import { sizeOf } from "../format/sizes.js";

const NAMES = {
  image: "Image",
  video: "Video",
  audio: "Audio",
  voice: "Voice message",
  document: "Document",
  sticker: "Sticker",
};

const ICONS = { voice: "mic" };

export const takesCaption = (type) => ["image", "video", "document"].includes(type);

/** The types *file* can be sent as, the likeliest first. */
export function typesFor({ type: mime }) {
  if (mime === "image/webp") return ["sticker", "document"];
  if (mime === "image/jpeg" || mime === "image/png") return ["image", "document"];
  if (mime.startsWith("video/")) return ["video", "document"];
  if (mime.startsWith("audio/")) return ["audio", "voice", "document"];
  return ["document"];
}

export function createTray(onchange) {
  const node = h("ul.tray", { "aria-label": "Files to send", hidden: true });
  let staged = [];

  function draw() {
    node.hidden = staged.length === 0;
    node.replaceChildren(...staged.map(chip));
    onchange();
  }

  function chip(entry) {
    const { file, type } = entry;
    return h(
      "li.chip",
      { data: { type } },
      thumbnail(entry),
      h(
        "div.chip-text",
        {},
        h("bdi.chip-name.line", { title: file.name }, file.name),
        h("span.quiet", {}, sizeOf(file.size)),
      ),
      typeSelect(entry),
      iconButton("close", `Remove ${file.name}`, () => remove(entry)),
    );
  }

  function typeSelect(entry) {
    const types = [...new Set([entry.type, ...typesFor(entry.file)])];
    const options = types.map((type) =>
      h("option", { value: type, selected: type === entry.type }, NAMES[type]),
    );
    const select = h("select", { "aria-label": `Send ${entry.file.name} as` }, options);
    select.addEventListener("change", () => {
      entry.type = select.value;
      draw();
    });
    return select;
  }

  function remove(entry) {
    staged = staged.filter((other) => other !== entry);
    release(entry);
    draw();
  }

  return {
    node,
    isEmpty: () => staged.length === 0,

    /** Stage *files*; without *type* each gets the likeliest. */
    add(files, type) {
      const entries = files.map((file) => ({ file, type: type ?? typesFor(file)[0] }));
      staged = [...staged, ...entries];
      draw();
    },

    /** Put entries back that could not be sent. */
    put(entries) {
      staged = [...entries, ...staged];
      draw();
    },

    /** Empty the tray: [{file, type}]. */
    take() {
      const taken = staged;
      staged = [];
      taken.forEach(release);
      draw();
      return taken.map(({ file, type }) => ({ file, type }));
    },

    placeholder() {
      if (staged.length === 0) return null;
      return staged.some(({ type }) => takesCaption(type)) ? "Caption" : "Message after the file";
    },
  };
}

function thumbnail(entry) {
  if (!entry.file.type.startsWith("image/")) return icon(ICONS[entry.type] ?? entry.type);
  entry.address ??= URL.createObjectURL(entry.file);
  return h("img", { src: entry.address, alt: "" });
}

function release(entry) {
  if (entry.address) URL.revokeObjectURL(entry.address);
  delete entry.address;
}
