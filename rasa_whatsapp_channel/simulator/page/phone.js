// One phone: its head, its thread, its composer. Several can be open side by side.

import { fillBanners } from "./banners.js";
import { emptyChat, emptyList, renderHead } from "./chat.js";
import { openChatMenu } from "./chat_menu.js";
import { createComposer } from "./composer/composer.js";
import { createController } from "./controller.js";
import { byId } from "./dom.js";
import { renderOwner } from "./owner.js";
import { createSearch } from "./search.js";
import { createThread } from "./thread.js";
import { renderWeather } from "./weather.js";

/** A phone without a chat. *page* is from app.js: {state, inspect, addPerson, …}. */
export function createPhone(page) {
  const node = byId("phone").content.firstElementChild.cloneNode(true);
  const controller = createController(page, node);
  const thread = createThread(controller);
  const composer = createComposer(controller);
  const search = createSearch(controller);
  const more = node.querySelector(".chat-more");
  node.querySelector(".search-place").replaceWith(search.node);
  more.addEventListener("click", () => openChatMenu(controller, more));
  Object.assign(controller, {
    ...{ goTo: thread.goTo, show: thread.scrollTo, search: search.open },
    ...{ quote: composer.quote, inspect: page.inspect, reveal: page.reveal },
  });
  controller.open = (chat) => page.phones.replace(controller, chat);
  controller.isPersonOpen = () => page.phones.isOpen(controller.chat, "person");
  controller.openPerson = () => page.phones.replace(controller, controller.chat);
  controller.openAgent = () => page.phones.openAgent(controller.chat);
  fillBanners(node.querySelector(".banners"));

  /** Show *chat*, the key of one, on the phone of *writer*; null: none. */
  function hold(chat, writer = "person") {
    const before = `${controller.chat}@${controller.writer}`;
    if (chat === controller.chat && writer === controller.writer) return;
    Object.assign(controller, { chat, writer });
    node.dataset.writer = writer;
    node.querySelector(".sheet-place")?.dispatchEvent(new Event("close"));
    search.close();
    composer.change(before, `${chat}@${writer}`);
    redraw();
  }

  function drawHead() {
    renderHead(controller);
    renderOwner(controller);
    renderWeather(controller, () => page.openDevtools("faults"));
  }

  function redraw() {
    const empty = controller.chat ? emptyChat(controller) : emptyList(page.addPerson);
    drawHead();
    thread.show(page.state.thread(controller.chat), empty);
    thread.setTyping(page.state.isTyping(controller.chat));
    search.follow();
  }

  return {
    node,
    controller,
    hold,
    redraw,
    renderHead: drawHead,
    focus: composer.focus,

    showTyping() {
      thread.setTyping(page.state.isTyping(controller.chat));
      renderHead(controller);
    },

    /** The newest of the chat has just come. */
    add() {
      // The first message begins the list that the thread shows.
      if (page.state.thread(controller.chat).length === 1) redraw();
      else thread.add();
      thread.setTyping(page.state.isTyping(controller.chat));
      search.follow();
    },

    refresh(item) {
      thread.refresh(item);
      search.follow();
    },

    get chat() {
      return controller.chat;
    },

    get writer() {
      return controller.writer;
    },

    /** Does the person look at it now? */
    isLookedAt: () =>
      controller.writer === "person" &&
      document.visibilityState === "visible" &&
      node.offsetParent !== null,
  };
}
