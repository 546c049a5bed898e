"use strict";
// Of a finding's page: the picture chosen is kept in the address, and a picture that cannot be read is told.
(() => {
  const figure = document.querySelector(".large");
  const box = document.getElementById("look-box");
  if (figure && box) {
    const choices = [...figure.querySelectorAll('input[name="look"]')];
    const unread = figure.querySelector(".unread");
    const chosen = () => choices.find((one) => one.checked);
    const picture = () => figure.querySelector(`.look.${chosen().value}`);
    const tell = () => { const now = picture(); unread.hidden = !(now.dataset.failed || (now.complete && now.currentSrc && !now.naturalWidth)); };
    const keep = () => {
      const told = [...(chosen() === choices[0] ? [] : [`look=${chosen().value}`]), ...(box.checked ? [] : ["box=off"])].join("&");
      history.replaceState(history.state, "", told ? `#${told}` : location.pathname + location.search);
      tell();
    };
    figure.querySelectorAll(".look").forEach((image) => {
      image.addEventListener("error", () => { image.dataset.failed = "yes"; tell(); });
      image.addEventListener("load", tell);
    });
    const asked = new URLSearchParams(location.hash.slice(1));
    const wanted = choices.find((one) => one.value === asked.get("look"));
    if (wanted) wanted.checked = true;
    if (asked.get("box") === "off") box.checked = false;
    [...choices, box].forEach((one) => one.addEventListener("change", keep));
    tell();
  }
  // What is drawn in a closed part has no size yet.
  document.querySelectorAll("details.redraw").forEach((part) => part.addEventListener("toggle", () => dispatchEvent(new Event("resize"))));
})();
