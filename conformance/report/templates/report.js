(() => {
  const $ = (query, root = document) => root.querySelector(query);
  const $$ = (query, root = document) => [...root.querySelectorAll(query)];
  const root = document.documentElement, filter = $("#filter"), rules = $$("details.rule"), help = $("#help");
  const stored = action => { try { return action(localStorage); } catch { return null; } };

  // Language: every text has its key beside it.
  const language = () => (root.lang === "en" ? "en" : "zh");
  const say = element => {
    const { t, n = "", of = "" } = element.dataset;
    element.textContent = TEXTS[language()][t].replaceAll("{n}", () => n).replaceAll("{of}", () => of);
  };
  const speak = chosen => {
    root.lang = chosen === "zh" ? "zh-CN" : "en";
    $$("[data-t]").forEach(say);
    for (const cell of $$(".rule b[class]:not(.mark-of)")) cell.textContent = TEXTS[chosen][`o.${cell.className}`];
    for (const element of $$("[data-a]")) {
      const [name, key] = element.dataset.a.split(":");
      element.setAttribute(name, TEXTS[chosen][key]);
    }
    read();
  };
  $("#language").addEventListener("click", () => {
    const chosen = language() === "en" ? "zh" : "en";
    speak(chosen);
    apply();
    stored(storage => storage.setItem("relayproof-language", chosen));
  });

  // Theme: the system's, until the reader chooses.
  const choose = theme => { root.dataset.theme = theme; };
  const kept = stored(storage => storage.getItem("relayproof-theme"));
  if (kept === "light" || kept === "dark") choose(kept);
  $("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    choose(dark ? "light" : "dark");
    stored(storage => storage.setItem("relayproof-theme", root.dataset.theme));
  });

  // Filter: words, outcomes, chapters and whether relays differ, all of which must fit.
  let texts = new Map();
  const read = () => { texts = new Map(rules.map(rule => [rule, $("summary", rule).textContent.toLowerCase()])); };
  const pressed = query => $$(query + '[aria-pressed="true"]');
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = pressed(".chip[data-outcome]").map(chip => chip.dataset.outcome);
    const chapters = pressed(".chapter").map(chapter => chapter.dataset.chapter);
    const differ = $("#differ")?.getAttribute("aria-pressed") === "true";
    let shown = 0;
    for (const rule of rules) {
      const here = rule.dataset.outcome.split(" ");
      const fits = words.every(word => texts.get(rule).includes(word))
        && (!outcomes.length || outcomes.some(outcome => here.includes(outcome)))
        && (!chapters.length || chapters.includes(rule.dataset.chapter))
        && (!differ || rule.dataset.differ);
      rule.hidden = !fits;
      shown += fits;
    }
    const narrowed = words.length || outcomes.length || chapters.length || differ;
    if (narrowed) for (const fold of $$(".fold")) fold.open = true;
    for (const group of $$(".group")) group.hidden = !$("details.rule:not([hidden])", group);
    $("#count").textContent = shown === rules.length ? shown : `${shown} / ${rules.length}`;
    $("#none").hidden = shown > 0;
    $("#clear").hidden = !narrowed;
  };
  const press = button => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    apply();
  };
  const clear = () => {
    filter.value = "";
    for (const button of pressed(".chip, .chapter")) button.setAttribute("aria-pressed", "false");
    apply();
  };
  filter.addEventListener("input", apply);
  $("#clear").addEventListener("click", clear);
  for (const button of $$(".chip[aria-pressed]")) button.addEventListener("click", () => press(button));
  for (const button of $$(".chapter")) button.addEventListener("click", () => {
    press(button);
    if (button.getAttribute("aria-pressed") === "true") $("#rules").scrollIntoView();
  });

  // Keys: / filters, arrows or j and k walk the rules, Enter opens, as a summary does by itself, Escape closes.
  const walk = step => {
    const open = rules.filter(rule => !rule.hidden && !rule.closest(".fold:not([open])")).map(rule => $("summary", rule));
    if (!open.length) return;
    const here = document.activeElement?.closest?.("details.rule");
    const at = here ? open.indexOf($("summary", here)) : -1;
    const next = open[at < 0 ? (step > 0 ? 0 : open.length - 1) : Math.max(0, Math.min(open.length - 1, at + step))];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const escape = () => {
    const open = document.activeElement?.closest?.("details.rule[open]");
    if (document.activeElement === filter) { clear(); filter.blur(); }
    else if (open) { open.open = false; $("summary", open).focus(); }
    else if (rules.some(rule => rule.open)) rules.forEach(rule => { rule.open = false; });
    else clear();
  };
  const ask = () => { if (help.open) help.close(); else help.showModal(); };
  $("#keys").addEventListener("click", ask);
  $("#help-close").addEventListener("click", ask);
  const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || (help.open && event.key !== "?")) return;
    const inFilter = event.target === filter, letter = event.key.length === 1;
    if (inFilter && letter) return;
    if (event.key === "/") { filter.focus(); filter.select(); }
    else if (event.key === "?") ask();
    else if (event.key === "Escape") escape();
    else if (event.key === "d" && $("#differ")) press($("#differ"));
    else if (event.key in steps && !event.shiftKey) walk(steps[event.key]);
    else return;
    event.preventDefault();
  });

  // Evidence: an exchange stands once in the page, and is shown again inside the rule that rests on it.
  const fill = slot => {
    const rule = $(".id", slot.closest(".rule")).textContent;
    const place = slot.lastElementChild, source = document.getElementById(slot.dataset.x);
    if (!source || place.firstChild) return;
    const inside = $(".inside", source);
    if (!inside) return tell(place, slot.dataset.x, $(".id", source).textContent);
    place.replaceChildren(...inside.cloneNode(true).childNodes);
    for (const row of $$("tr.hit", place))
      row.classList.toggle("hit", row.dataset.rules.split(" ").includes(rule));
  };
  const tell = (place, anchor, id) => {
    const how = document.getElementById(`how-${anchor.slice(1).split("-")[0]}`).cloneNode(true), code = $("code", how);
    how.removeAttribute("id");
    if (/^[\w.~-]+$/.test(id)) code.textContent = code.textContent.replace(/ID$/, () => id);
    place.replaceChildren(how);
  };
  const label = slot => {
    const source = document.getElementById(slot.dataset.x), head = source && ($("summary", source) ?? source);
    if (head) slot.firstElementChild.replaceChildren(...head.cloneNode(true).childNodes);
  };
  document.addEventListener("toggle", event => {
    const element = event.target;
    if (!element.open) return;
    if (element.matches("details.slot")) fill(element);
    if (!element.matches("details.rule")) return;
    for (const slot of $$("details.slot", element)) label(slot);
    const first = $("details.slot", element);
    if (first && !element.matches(".g-pass")) first.open = true;
  }, true);

  document.addEventListener("click", event => {
    const button = event.target.closest(".copy button");
    if (!button) return;
    const text = $("pre, code, span", button.parentElement);
    navigator.clipboard?.writeText(text.textContent).then(() => {
      button.textContent = "✓";
      setTimeout(() => say(button), 1200);
    }, () => getSelection().selectAllChildren(text));
  });

  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!(target instanceof HTMLDetailsElement)) return;
    for (let at = target; at; at = at.parentElement?.closest("details")) at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { for (const rule of $$(".g-MUST, .g-broken")) rule.open = true; });
  const chosen = stored(storage => storage.getItem("relayproof-language"));
  if ((chosen === "en" || chosen === "zh") && chosen !== language()) speak(chosen); else read();
  follow();
})();
