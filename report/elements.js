// What the page's scripts have in common: elements, numbers, and links that lead into what is folded.
"use strict";

// An element with attributes and children; a child is an element or a text, never markup.
const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
};

// One decimal, a true minus sign; with `signed` a plus sign too.
const shown = (value, signed = false) => {
  const text = Math.abs(value).toFixed(1);
  return (Number(text) === 0 ? "" : value < 0 ? "−" : signed ? "+" : "") + text;
};

let choices = 0;

// A select with a label; `options` are [value, text] pairs, or [heading, [pairs]] groups.
const choice = (label, onchange) => {
  const select = make("select", { onchange, id: `choice-${(choices += 1)}` });
  const box = make("div", { class: "choice" }, make("label", { for: select.id }, label), select);
  const option = ([value, text]) => make("option", { value }, text);
  const fill = (options, wanted) => {
    select.replaceChildren(
      ...options.map(([value, held]) =>
        Array.isArray(held) ? make("optgroup", { label: value }, ...held.map(option)) : option([value, held]),
      ),
    );
    const values = [...select.options].map((one) => one.value);
    select.value = values.includes(wanted) ? wanted : values[0];
    box.hidden = values.length === 0;
    select.disabled = values.length < 2;
  };
  return { box, select, fill };
};

// A link into something folded unfolds it.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  let folded = false;
  for (let up = target; up; up = up.parentElement) {
    if (up.tagName === "DETAILS" && !up.open) folded = up.open = true;
  }
  if (folded) target.scrollIntoView();
  if (target.hasAttribute("tabindex")) target.focus({ preventScroll: true });
};
addEventListener("hashchange", unfold);
addEventListener("DOMContentLoaded", unfold);
