// Runs before the first paint, so that a chosen theme never flashes in the other colours, and the
// page never turns round: it runs from right to left with ?dir=rtl, or as the browser's language.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
  const asked = new URLSearchParams(location.search).get("dir");
  const isRightToLeft = /^(ar|ckb|dv|fa|he|ks|ps|sd|ug|ur|yi)\b/.test(navigator.language);
  document.documentElement.dir = asked ?? (isRightToLeft ? "rtl" : "ltr");
})();
