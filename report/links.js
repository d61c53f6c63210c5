// What links of the page do besides leading somewhere: copy an address, unpack data, copy a text.
"use strict";

(() => {
  const said = make("p", { class: "unseen", role: "status" });
  document.body.append(said);
  const copy = async (text, button) => {
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    if (!done) return;
    said.textContent = "Copied";
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  };

  // A link to a heading also copies its address.
  if (navigator.clipboard) {
    addEventListener("click", (event) => {
      const link = event.target.closest("a.anchor");
      if (link) copy(link.href, link);
    });
    for (const text of document.querySelectorAll(".cite pre, .dispute pre")) {
      const button = make("button", { type: "button", class: "copy", onclick: () => copy(text.textContent, button) }, "Copy");
      text.before(button);
    }
  }

  // Data stand in the page compressed; a click unpacks them.
  if (window.DecompressionStream) {
    const unpack = async (link) => {
      const packed = Uint8Array.from(atob(link.href.split(",")[1]), (c) => c.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      const text = await new Response(stream).blob();
      const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      make("a", { href: address, download: link.download.replace(/\.gz$/, "") }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    };
    for (const link of document.querySelectorAll("a.download")) {
      link.textContent = "Data as CSV";
      link.addEventListener("click", (event) => (event.preventDefault(), unpack(link)));
    }
  }
})();
