// Traffic panel: health of the bot, the connection between simulator and bot, and their log.

import { addressNode, h, icon } from "../dom.js";
import { plus } from "../people.js";
import { createBot } from "./bot.js";
import { detailList, stateWord } from "./details.js";
import { createLimit } from "./limit.js";
import { createLog } from "./log.js";
import { emptyBody, sendBody } from "./webhook_form.js";

export function createConnection(page) {
  const { state } = page;
  const bot = createBot({ state });
  const log = createLog(page);
  const limit = createLimit(page);
  const aboutBot = h("div.joined", {}, h("h3", {}, "Your bot"), bot.node);
  const joined = h("div.joined");
  const write = () => sendBody(emptyBody(state));
  let isConnected = false;
  const node = h(
    "div.panel",
    {},
    aboutBot,
    h("h3", {}, "The simulator"),
    joined,
    h(
      "div.panel-head",
      {},
      h("h3", {}, "Log"),
      h("button.tool", { type: "button", onclick: write }, icon("edit"), "Send custom webhook"),
    ),
    log.node,
    h("p.hint", {}, icon("code"), "Point at a message and choose Inspect to see its details."),
  );

  function drawFacts() {
    const { api: name, number, numbers, webhook } = state;
    const phone = number.display_phone_number;
    aboutBot.hidden = !isConnected || !webhook;
    const connected = isConnected ? ["good", "Connected"] : ["bad", "Not connected"];
    joined.replaceChildren(
      detailList([
        ["This page", stateWord(...connected)],
        ["API", name],
        ["Number", phone && plus(phone)],
        ["Number ID", number.phone_number_id && h("code", {}, number.phone_number_id)],
        ["Limit", number.phone_number_id && limit.node],
        ["Other numbers", numbers.length > 1 && numbers.slice(1).map(otherNumber)],
        ["Webhook", webhook ? addressNode(webhook) : "None: start with --webhook ADDRESS"],
      ]),
    );
  }

  return {
    ...{ name: "connection", label: "Traffic", symbol: "plug", node },
    reveal: log.reveal,

    refresh(what) {
      if (["shown", "limit"].includes(what)) limit.draw();
      if (what === "shown") {
        drawFacts();
        bot.askNow();
      }
      if (["message", "status", "webhook"].includes(what)) bot.askSoon();
      if (["shown", "webhook", "request", "logs"].includes(what)) log.drawSoon();
    },

    setConnected(connected) {
      isConnected = connected;
      drawFacts();
    },
  };
}

function otherNumber({ name, display_phone_number: phone = "", phone_number_id: id }) {
  return h("p", {}, [name, plus(phone)].filter(Boolean).join(" "), " ", h("code", {}, id));
}
