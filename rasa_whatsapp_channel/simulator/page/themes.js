// Theme button, light or dark; theme.js applies the choice at start.

import { byId, icon } from "./dom.js";

const SYSTEM = matchMedia("(prefers-color-scheme: dark)");

const isDark = () =>
  (document.documentElement.dataset.theme ?? (SYSTEM.matches ? "dark" : "light")) === "dark";

export function connectThemeButton() {
  const button = byId("theme");

  function show() {
    const label = isDark() ? "Light colours" : "Dark colours";
    button.replaceChildren(icon(isDark() ? "sun" : "moon"));
    button.setAttribute("aria-label", label);
    button.title = label;
  }

  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    show();
  });
  SYSTEM.addEventListener("change", show);
  show();
}
