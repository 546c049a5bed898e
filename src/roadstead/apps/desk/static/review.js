"use strict";
// Keys press the button or link that names them; in the list they act on the row chosen.
(() => {
  const typing = (element) => element && !/^(radio|checkbox)$/.test(element.type) && (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || element.isContentEditable);
  const help = document.getElementById("keys");
  const list = document.querySelector(".queue");
  const rows = list ? [...list.querySelectorAll(".row")] : [];
  let at = list ? Number(list.dataset.at) : 0;

  const choose = (index, look) => {
    if (!rows.length) return;
    at = Math.max(0, Math.min(index, rows.length - 1));
    rows.forEach((row, i) => row.classList.toggle("chosen", i === at));
    rows[at].focus({ preventScroll: true });
    if (look) rows[at].scrollIntoView({ block: "nearest" });
  };
  if (rows.length) choose(at, at > 0);
  rows.forEach((row, i) => row.addEventListener("focusin", () => { if (i !== at) choose(i, false); }));

  let pressed = false; // one key is one decision: a second press while the page loads writes nothing
  const press = (element) => {
    if (pressed) return;
    if (element.tagName === "BUTTON" && element.form) pressed = true;
    element.click();
  };
  document.querySelectorAll("[data-help]").forEach((button) => button.addEventListener("click", () => help && help.showModal()));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (help && help.open) return;
    if (rows.length) {
      const step = { j: 1, ArrowRight: 1, ArrowDown: 1, k: -1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) { event.preventDefault(); choose(at + step, true); return; }
      if (event.key === "Enter" && event.target === rows[at]) { rows[at].querySelector(".open").click(); return; }
      const own = rows[at].querySelector(`[data-row-key="${CSS.escape(event.key)}"]`);
      if (own) { event.preventDefault(); press(own); return; }
    }
    const field = document.querySelector(`[data-focus="${CSS.escape(event.key)}"]`);
    if (field) { event.preventDefault(); field.focus(); field.scrollIntoView({ block: "center" }); return; }
    // A page's own link comes after that of the navigation: the list with its filters, not the bare list.
    const found = [...document.querySelectorAll(`[data-key~="${CSS.escape(event.key)}"]`)].at(-1);
    if (found) { event.preventDefault(); press(found); }
  });
  window.addEventListener("pageshow", () => { pressed = false; });
  if (location.hash === "#correct") document.querySelector("[data-focus]")?.focus();
})();
