// Composer: text, files, voice messages and the attach menu.

import { h, icon, iconButton } from "../dom.js";
import { oneLine } from "../format/render.js";
import { summaryOf } from "../summary.js";
import { createAttachMenu } from "./attach.js";
import { catchDrops } from "./drop.js";
import { createRecorder } from "./recorder.js";
import { createTray, takesCaption } from "./tray.js";

const TALLEST = 140; // pixels a long text may grow to
const BORDERS = 3;

export function createComposer(controller) {
  const form = controller.node.querySelector(".composer");
  const tray = createTray(update);
  const quoteBar = h("div.quote-bar", { hidden: true });
  const text = h("textarea.composer-text", {
    ...{ rows: 1, dir: "auto", placeholder: "Message" },
    ...{ "aria-label": "Message", enterkeyhint: "send", autocomplete: "off" },
  });
  const send = h(
    "button.round.send",
    { type: "submit", "aria-label": "Send", title: "Send" },
    icon("send"),
  );
  const record = iconButton("mic", "Record a voice message", () => recorder.start(), {
    class: "round record",
  });
  const attach = createAttachMenu({ controller, tray });
  const recorder = createRecorder({
    form,
    sendVoice: (file) => sendFiles([{ file, type: "voice" }]),
  });
  const drafts = new Map();
  let quoted = null;
  let width = 0; // of the text field, as it was fitted

  form.append(
    quoteBar,
    tray.node,
    attach.menu,
    h("div.composer-row", {}, attach.button, text, record, send),
    recorder.node,
  );
  form.addEventListener("submit", submit);
  text.addEventListener("input", update);
  text.addEventListener("keydown", onKey);
  text.addEventListener("paste", onPaste);
  new ResizeObserver(onResize).observe(text);
  catchDrops(controller.node, (files) => tray.add(files));
  update();

  function onKey(event) {
    if (event.key === "Escape" && quoted) quote(null);
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  }

  function onPaste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    tray.add(files);
  }

  function update() {
    const hasSomething = text.value.trim() !== "" || !tray.isEmpty();
    send.hidden = !hasSomething;
    record.hidden = hasSomething;
    text.placeholder = tray.placeholder() ?? "Message";
    fit();
  }

  /** Give the field the height of its text. */
  function fit() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + BORDERS, TALLEST)}px`;
  }

  function onResize() {
    if (text.clientWidth === width) return;
    width = text.clientWidth;
    fit();
  }

  async function submit(event) {
    event.preventDefault();
    const words = text.value.trim();
    const files = tray.take();
    if (!words && files.length === 0) return;
    text.value = "";
    update();
    const left = await sendFiles(files, words);
    if (left.files.length) tray.put(left.files);
    if (left.words && !text.value) text.value = left.words;
    update();
  }

  /** Send *files*, the words as caption of the first that takes one; returns what is left over. */
  async function sendFiles(files, words = "") {
    const { chat } = controller;
    const context = quoted ? { message_id: quoted.id } : undefined;
    const captioned = files.find(({ type }) => takesCaption(type));
    let left = words;
    quote(null);
    for (const [at, entry] of files.entries()) {
      const caption = entry === captioned ? left : "";
      const message = { ...entry, caption, context: at === 0 ? context : undefined };
      if (!(await controller.sendFile(message, chat))) return { files: files.slice(at), words: left };
      if (entry === captioned) left = "";
    }
    if (!left) return { files: [], words: "" };
    const message = { type: "text", text: { body: left } };
    if (context && files.length === 0) message.context = context;
    return { files: [], words: (await controller.send(message, chat)) ? "" : left };
  }

  /** Answer to *item*; null takes it back. */
  function quote(item) {
    quoted = item;
    quoteBar.hidden = !item;
    if (!item) return;
    const { icon: symbol, text: words } = summaryOf(item);
    quoteBar.replaceChildren(
      h(
        "div.quote-lines",
        { data: { side: controller.sideOf(item) } },
        h("span.quote-who", { dir: "auto" }, controller.quotedName(item)),
        h("span.quote-text", { dir: "auto" }, symbol && icon(symbol), oneLine(words)),
      ),
      iconButton("close", "Remove quote", () => quote(null)),
    );
    text.focus();
  }

  /** Another person takes the phone: keep what was written for the one before. */
  function change(before, after) {
    drafts.set(before, text.value);
    attach.change();
    text.value = drafts.get(after) ?? "";
    tray.take();
    recorder.cancel();
    quote(null);
    update();
  }

  return { quote, change, focus: () => text.focus() };
}
