// One phone on the desk: its head, its thread, its composer. There may be several beside each other.

import { fillBanners } from "./banners.js";
import { emptyChat, emptyDesk, renderHead } from "./chat.js";
import { createComposer } from "./composer/composer.js";
import { createDesk } from "./desk.js";
import { byId } from "./dom.js";
import { createThread } from "./thread.js";
import { renderWeather } from "./weather.js";

/** A phone nobody holds yet. *page* is what app.js offers: {state, inspect, addPerson, …}. */
export function createPhone(page) {
  const node = byId("phone").content.firstElementChild.cloneNode(true);
  const desk = createDesk(page, node);
  const thread = createThread(desk);
  const composer = createComposer(desk);
  Object.assign(desk, { goTo: thread.goTo, quote: composer.quote, inspect: page.inspect });
  desk.open = (chat) => page.phones.replace(desk.chat, chat);
  fillBanners(node.querySelector(".banners"));

  /** Hand the phone to *chat*, the key of one; null: nobody. */
  function hold(chat) {
    const before = desk.chat;
    if (chat === before) return;
    desk.chat = chat;
    composer.change(before, chat);
    redraw();
  }

  function drawHead() {
    renderHead(desk);
    renderWeather(desk, () => page.openBench("faults"));
  }

  function redraw() {
    const empty = desk.chat ? emptyChat(desk) : emptyDesk(page.addPerson);
    drawHead();
    thread.show(page.state.thread(desk.chat), empty);
    thread.setTyping(page.state.isTyping(desk.chat));
  }

  return {
    node,
    desk,
    hold,
    redraw,
    refresh: thread.refresh,
    renderHead: drawHead,
    focus: composer.focus,

    showTyping() {
      thread.setTyping(page.state.isTyping(desk.chat));
      renderHead(desk);
    },

    /** The newest of the chat has just come. */
    add() {
      // The first message begins the list that the thread shows.
      if (page.state.thread(desk.chat).length === 1) redraw();
      else thread.add();
      thread.setTyping(page.state.isTyping(desk.chat));
    },

    get chat() {
      return desk.chat;
    },

    isLookedAt: () => document.visibilityState === "visible" && node.offsetParent !== null,
  };
}
