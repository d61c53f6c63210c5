// The explorer of results: filters, sorting, and the details of a row. All that it shows is in the page.
"use strict";

(() => {
  const root = document.querySelector(".explorer");
  if (!root) return;
  const held = JSON.parse(document.getElementById("explorer-data").textContent);
  const entries = held.rows.map((row, place) => {
    const one = Object.fromEntries(held.fields.map((name, i) => [name, row[i]]));
    return { ...one, place, line: document.getElementById(one.anchor), detail: null, button: null };
  });
  const table = root.querySelector("table");
  const tip = root.querySelector(".tip");
  const count = root.querySelector(".found");
  const chosen = {}; // field -> the value that is asked for
  let words = "";
  let learnt = false; // only models that have learnt enough
  let order = { field: "place", falling: false };

  // --- which rows are shown ---

  const fits = (one) =>
    Object.entries(chosen).every(([field, value]) => one[field] === value) &&
    !(learnt && one.at_chance) &&
    words.split(/\s+/).every((word) => one.line.textContent.toLowerCase().includes(word));

  const show = () => {
    const found = entries.filter(fits);
    const there = new Set(found);
    for (const one of entries) {
      one.line.hidden = !there.has(one);
      if (one.detail) one.detail.hidden = one.line.hidden;
    }
    count.textContent = `${found.length} of ${entries.length} evaluations`;
  };

  const filters = Object.entries(held.filters).map(([field, title]) => {
    const values = [...new Set(entries.map((one) => one[field]))];
    const numbers = values.every((value) => !isNaN(value));
    if (numbers) values.sort((a, b) => b - a);
    const made = choice(title, () => {
      delete chosen[field];
      if (made.select.selectedIndex > 0) chosen[field] = values[made.select.selectedIndex - 1];
      show();
    });
    made.fill([["all", "all"], ...values.map((value) => [`=${value}`, value || "none"])]);
    return made;
  });
  const search = make("input", { type: "search", oninput: () => ((words = search.value.trim().toLowerCase()), show()) });
  const only = make("input", { type: "checkbox", onchange: () => ((learnt = only.checked), show()) });
  const reset = () => {
    for (const { select } of filters) select.selectedIndex = 0;
    for (const field of Object.keys(chosen)) delete chosen[field];
    [search.value, words, only.checked, learnt] = ["", "", false, false];
    show();
  };
  const anyAtChance = entries.some((one) => one.at_chance);
  const controls = root.querySelector(".controls");
  controls.append(
    ...filters.map((made) => made.box),
    make("label", { class: "choice" }, make("span", {}, "Search"), search),
    anyAtChance ? make("label", { class: "tick" }, only, " leave out models at chance") : "",
    make("button", { type: "button", onclick: reset }, "Show all"),
  );
  controls.hidden = count.hidden = false;

  // --- in which order ---

  const key = (one, field) => {
    const value = one[field];
    if (field === "value" || field === "delta") return value.value;
    if (field === "changed") return value && value[0] + value[1];
    return field === "keep_rate" ? Number(value) : value;
  };
  const compare = (a, b) => {
    const [x, y] = [key(a, order.field), key(b, order.field)];
    if (x === y) return a.place - b.place;
    if (x === null || x === "") return 1; // what is missing stands last, whichever way
    if (y === null || y === "") return -1;
    return (x < y ? -1 : 1) * (order.falling ? -1 : 1);
  };
  const sort = (head) => {
    const field = head.dataset.sort;
    const again = order.field === field;
    order = again && order.falling ? { field: "place", falling: false } : { field, falling: again };
    for (const other of table.querySelectorAll("th[data-sort]")) other.removeAttribute("aria-sort");
    if (order.field === field) head.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
    const lines = [...entries].sort(compare).flatMap((one) => [one.line, one.detail].filter(Boolean));
    table.tBodies[0].append(...lines);
  };
  for (const head of table.querySelectorAll("th[data-sort]")) {
    const button = make("button", { type: "button", class: "sort", onclick: () => sort(head) });
    button.append(...head.childNodes);
    head.append(button);
  }

  // --- what is known of a row ---

  const interval = ({ value, low, high }, signed) =>
    value === null ? "" : shown(value, signed) + (low === null ? "" : `, 95 % interval ${shown(low, signed)} to ${shown(high, signed)}`);
  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

  const facts = (one) => {
    const found = [];
    if (one.why) found.push(["Not run", one.why]);
    else found.push([one.metric, interval(one.value)]);
    found.push(["Rests on", [plural(one.n, "test clip"), plural(one.folds, "fold"), plural(one.seeds, "seed"), plural(one.runs, "run")].join(", ")]);
    if (one.delta.value !== null) found.push(["Δ to its reference, points", interval(one.delta, true)]);
    if (one.changed) {
      found.push(["Discordant clips", `${one.changed[0]} right here only, ${one.changed[1]} in the reference only`]);
    }
    if (one.p !== null) found.push(["p of no difference, adjusted by Holm", one.p < 1e-4 ? "below 0.0001" : one.p.toPrecision(2)]);
    if (one.selection && one.selection !== "last") found.push(["Weights", one.selection.replace("_", " ")]);
    if (one.variant) found.push(["Recipe", one.variant]);
    if (one.at_chance) found.push(["Nothing follows", `the unpruned model has not learnt enough: ${one.at_chance}`]);
    return found;
  };
  const list = (found) => make("dl", {}, ...found.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));

  const card = (anchor) => {
    const copy = document.getElementById(anchor).cloneNode(true);
    copy.removeAttribute("id");
    copy.removeAttribute("tabindex");
    copy.append(make("a", { href: `#${anchor}` }, "this cell in the list of all cells"));
    return copy;
  };
  const open = (one, wanted = !one.detail) => {
    if (wanted && !one.detail) {
      const held = make("div", { class: "opened" }, list(facts(one)));
      if (one.against) held.append(make("p", {}, make("a", { href: `#${one.against}` }, "its reference")));
      held.append(...one.cells.map(card));
      for (const anchor of one.counted) held.append(make("p", {}, make("a", { href: `#${anchor}` }, "how its MACs were counted")));
      const id = `${one.anchor}-detail`;
      one.detail = make("tr", { class: "detail", id }, make("td", { colspan: table.tHead.rows[0].cells.length }, held));
      one.line.after(one.detail);
      one.button.setAttribute("aria-controls", id);
    } else if (!wanted && one.detail) {
      one.detail.remove();
      one.detail = null;
      one.button.removeAttribute("aria-controls");
    }
    one.button.setAttribute("aria-expanded", Boolean(one.detail));
  };

  let hinted = null; // the row beside which the tip stands
  const hint = (one) => {
    hinted = one;
    tip.replaceChildren(list(facts(one)));
    tip.hidden = false;
    place();
  };
  const place = () => {
    if (!hinted) return;
    const [box, own] = [hinted.line.getBoundingClientRect(), tip.getBoundingClientRect()];
    const below = box.bottom + 6 + own.height < innerHeight;
    tip.style.top = `${below ? box.bottom + 6 : Math.max(0, box.top - own.height - 6)}px`;
    tip.style.left = `${Math.max(8, Math.min(Math.max(box.left, 0) + 160, innerWidth - own.width - 8))}px`;
  };
  const unhint = () => {
    hinted = null;
    tip.hidden = true;
  };

  for (const one of entries) {
    const head = one.line.cells[0];
    const button = make("button", { type: "button", class: "open", "aria-expanded": "false", "aria-describedby": tip.id });
    button.append(...head.childNodes);
    button.setAttribute("aria-label", `${button.textContent}: details`);
    head.append(button);
    one.button = button;
    one.line.addEventListener("click", (event) => {
      if (event.target.closest("a")) return;
      unhint();
      open(one);
    });
    one.line.addEventListener("mouseenter", () => hint(one));
    one.line.addEventListener("mouseleave", unhint);
    button.addEventListener("focus", () => hint(one));
    button.addEventListener("blur", unhint);
  }
  addEventListener("keydown", (event) => event.key === "Escape" && unhint());
  addEventListener("scroll", place, { passive: true, capture: true });

  const follow = () => {
    const one = entries.find(({ anchor }) => `#${anchor}` === location.hash);
    if (!one) return;
    if (one.line.hidden) reset();
    open(one, true);
    one.line.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", follow);
  show();
  follow();
})();
