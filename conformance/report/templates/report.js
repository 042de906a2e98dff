"use strict";
(() => {
  const $ = (query, root = document) => root.querySelector(query);
  const $$ = (query, root = document) => [...root.querySelectorAll(query)];
  const root = document.documentElement, filter = $("#filter"), rules = $$("details.rule");
  const texts = new Map(rules.map(rule => [rule, $("summary", rule).textContent.toLowerCase()]));

  // Theme: the system's, until the reader chooses.
  const stored = action => { try { return action(localStorage); } catch { return null; } };
  const choose = theme => { root.dataset.theme = theme; };
  const kept = stored(storage => storage.getItem("relayproof-theme"));
  if (kept === "light" || kept === "dark") choose(kept);
  $("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    choose(dark ? "light" : "dark");
    stored(storage => storage.setItem("relayproof-theme", root.dataset.theme));
  });

  // Filter: words, outcomes and a chapter, all of which must fit.
  const pressed = query => $$(query + '[aria-pressed="true"]');
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = pressed(".chip").map(chip => chip.dataset.outcome);
    const chapters = pressed(".chapter").map(chapter => chapter.dataset.chapter);
    let shown = 0;
    for (const rule of rules) {
      const fits = words.every(word => texts.get(rule).includes(word))
        && (!outcomes.length || outcomes.includes(rule.dataset.outcome))
        && (!chapters.length || chapters.includes(rule.dataset.chapter));
      rule.hidden = !fits;
      shown += fits;
    }
    for (const group of $$(".group")) group.hidden = !$("details.rule:not([hidden])", group);
    $("#count").textContent = shown === rules.length ? shown : `${shown} / ${rules.length}`;
    $("#none").hidden = shown > 0;
  };
  filter.addEventListener("input", apply);
  for (const button of $$(".chip, .chapter")) button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    apply();
  });

  // Keys: / filters, arrows (in the list) or j and k (anywhere) walk the rules, Enter opens, as a summary does by itself.
  const walk = step => {
    const open = rules.filter(rule => !rule.hidden).map(rule => $("summary", rule));
    if (!open.length) return;
    const at = open.indexOf(document.activeElement);
    const next = open[at < 0 ? (step > 0 ? 0 : open.length - 1) : Math.max(0, Math.min(open.length - 1, at + step))];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inFilter = event.target === filter, letter = event.key.length === 1;
    const inList = inFilter || event.target.closest?.("details.rule > summary");
    if (event.key === "/" && !inFilter) { filter.focus(); filter.select(); }
    else if (event.key === "Escape" && inFilter) { filter.value = ""; apply(); filter.blur(); }
    else if (event.key in steps && (letter ? !inFilter : inList)) walk(steps[event.key]);
    else return;
    event.preventDefault();
  });

  // Evidence: an exchange stands once in the page, and is shown again inside the rule that rests on it.
  const fill = slot => {
    const source = $(`#x${slot.dataset.x} > .inside`), place = slot.lastElementChild;
    if (!source || slot.dataset.filled) return;
    slot.dataset.filled = "yes";
    place.replaceChildren(...source.cloneNode(true).childNodes);
    for (const row of $$("tr.hit", place))
      row.classList.toggle("hit", row.dataset.rules.split(" ").includes(slot.dataset.rule));
  };
  document.addEventListener("toggle", event => {
    const element = event.target;
    if (!element.open) return;
    if (element.matches("details.slot")) fill(element);
    if (element.matches("details.rule:not(.r-pass)")) { const slot = $("details.slot", element); if (slot) slot.open = true; }
  }, true);

  document.addEventListener("click", event => {
    const button = event.target.closest(".copy button");
    if (!button) return;
    const text = $("pre, code", button.parentElement);
    const before = button.textContent;
    navigator.clipboard?.writeText(text.textContent).then(() => {
      button.textContent = "✓";
      setTimeout(() => { button.textContent = before; }, 1200);
    }, () => getSelection().selectAllChildren(text));
  });

  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { for (const rule of $$("details.r-fail, details.r-broken")) rule.open = true; });
  follow();
})();
