// Chat menu: search, pin, link, save as a test, export, restart and delete of one chat.

import * as api from "./api.js";
import { confirmDelete, confirmRestart } from "./dialogs/questions.js";
import { openMenu } from "./dialogs/menu.js";
import { isolated } from "./dom.js";
import { addressOf } from "./phones.js";
import { hasPlatformEvents } from "./state.js";
import { toast } from "./toasts.js";

/** Open the menu of the chat of *controller* below *button*. */
export function openChatMenu(controller, button) {
  const { state, chat } = controller;
  const { key, person } = state.chatOf(chat);
  if (!person) return;
  const isPinned = state.pinned.has(chat);
  const wants = person.marketing !== false;
  const save = (address) => () => download(address);
  openMenu(button, [
    ["search", "Search", controller.search, act("search")],
    ["pin", isPinned ? "Unpin" : "Pin", () => state.pin(chat, !isPinned), act("pin")],
    hasPlatformEvents(state) &&
      !person.group && [
        ...["megaphone", `${wants ? "Stop" : "Resume"} marketing messages`],
        ...[() => setMarketing(key, !wants), act("marketing")],
      ],
    ["link", "Copy the link", () => copyLink(chat), act("link")],
    ["list", "Save as test: transcript", save(api.transcriptOf(key, "yaml")), act("transcript")],
    ["code", "Save as test: pytest", save(api.transcriptOf(key, "pytest")), act("pytest")],
    ["download", "Export the chat", save(api.exportOf(key)), act("export")],
    ["reset", "Restart the chat", () => restart(key, person), act("restart")],
    ["bin", `Delete ${isolated(person.name)}`, () => remove(key, person), act("delete")],
  ]);
}

const act = (name) => ({ data: { act: name } });

async function copyLink(chat) {
  const address = new URL(addressOf([chat]), location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    toast("The link is copied.");
  } catch (error) {
    toast(error.message);
  }
}

function setMarketing(key, wanted) {
  api.setMarketing(key, wanted).catch((error) => toast(error.message));
}

async function restart(key, { name }) {
  if (await confirmRestart(name)) api.restartChat(key).catch((error) => toast(error.message));
}

async function remove(key, { name }) {
  if (await confirmDelete(name)) api.deletePerson(key).catch((error) => toast(error.message));
}

/** Let the browser save what is at *address*. */
export function download({ address, name }) {
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name });
  link.click();
}
