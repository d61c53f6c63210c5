// A search through the report: sections, exhibits, claims, terms and cells. It leads to what is in the page anyway.
"use strict";

(() => {
  const root = document.querySelector(".finder");
  const MOST = 12;
  const plain = (words) => words.toLowerCase().replace(/[-_]/g, " "); // names are found as they are typed and as they are shown
  const text = (one) => (one ? one.textContent.replace(/\s+/g, " ").trim() : "");
  const heading = (one) => text(one).replace(/ #$/, "");

  // [what it is, elements, its title, what else is searched]
  const KINDS = [
    ["Section", "section.part, #explorer, #clips, #notes", (one) => heading(one.querySelector("h2, h3")), () => ""],
    ["Exhibit", "[data-title]", (one) => one.dataset.title, (one) => text(one.querySelector(".caption"))],
    ["Claim", ".claim > .words[id]", (one) => text(one.parentElement.querySelector(".question")), (one) => `${one.id} ${text(one.parentElement.querySelector(".verdict"))} ${text(one.querySelector("dl"))}`],
    ["Term", ".terms dt", text, (one) => text(one.nextElementSibling)],
    ["Result", ".explorer tbody tr[id]", (one) => [...one.cells].slice(0, 5).map(text).filter(Boolean).join(", "), (one) => one.id],
    ["Cell", "article.cell", (one) => heading(one.querySelector("h5")), (one) => one.id],
  ];
  let entries = null; // read when it is first asked for
  const read = () =>
    KINDS.flatMap(([kind, where, title, more]) =>
      [...document.querySelectorAll(where)]
        .filter((one) => one.id)
        .map((one) => ({ kind, id: one.id, title: title(one), more: kind === "Term" ? more(one) : "", all: plain(`${title(one)} ${more(one)}`) })),
    );

  const box = make("input", {
    type: "search", id: "find", role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "find-list",
  });
  const list = make("ul", { id: "find-list", role: "listbox", "aria-label": "What was found", hidden: true });
  const count = make("p", { class: "soft", role: "status" });
  root.append(make("label", { for: box.id }, "Find in this report ", make("kbd", { title: "key that leads here" }, "/")), box, list, count);
  root.hidden = false;

  let chosen = -1;
  const options = () => [...list.children];
  const choose = (n) => {
    const all = options();
    chosen = all.length ? (n + all.length) % all.length : -1;
    all.forEach((one, i) => one.setAttribute("aria-selected", i === chosen));
    if (chosen < 0) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    list.hidden = true;
    count.textContent = "";
    box.setAttribute("aria-expanded", "false");
    choose(-1);
  };
  const go = (one) => {
    close();
    box.blur();
    if (location.hash === `#${one.dataset.to}`) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = one.dataset.to;
  };
  const find = () => {
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    if (!words.length) return close();
    entries ??= read();
    const rank = ({ title, all }) => (words.every((word) => plain(title).includes(word)) ? 0 : words.every((word) => all.includes(word)) ? 1 : 2);
    const found = entries.filter((one) => rank(one) < 2).sort((a, b) => rank(a) - rank(b));
    list.replaceChildren(
      ...found.slice(0, MOST).map((one, i) =>
        make(
          "li",
          { role: "option", id: `find-${i}`, "aria-selected": "false", "data-to": one.id, onmousedown: (event) => event.preventDefault(), onclick: (event) => go(event.currentTarget) },
          make("span", { class: "soft" }, one.kind), ` ${one.title}`, one.more ? make("span", { class: "soft" }, `: ${one.more.slice(0, 160)}`) : null,
        ),
      ),
    );
    chosen = -1;
    list.hidden = !found.length;
    box.setAttribute("aria-expanded", Boolean(found.length));
    box.removeAttribute("aria-activedescendant");
    count.textContent = found.length > MOST ? `${found.length} found, the first ${MOST} shown` : found.length ? `${found.length} found` : "Nothing found";
  };

  box.addEventListener("input", find);
  box.addEventListener("blur", close);
  box.addEventListener("focus", find);
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "Enter" && options().length && !list.hidden) go(options()[Math.max(0, chosen)]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    box.focus();
  });
})();
