import { h, icon } from "./dom.js";
import { toast } from "./toasts.js";

/** A small button that copies what *read* gives, which may take a while. */
export function copyButton(label, read) {
  const button = h("button.tool", { type: "button", onclick: copy }, icon("copy"), label);

  async function copy() {
    try {
      await navigator.clipboard.writeText(await read());
    } catch (error) {
      toast(error.message);
      return;
    }
    button.replaceChildren(icon("check"), "Copied");
    setTimeout(() => button.replaceChildren(icon("copy"), label), 1500);
  }

  return button;
}
