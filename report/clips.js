// The clip explorer: one clip at a time, what a model keeps of it stage by stage, and what it says.
"use strict";

(() => {
  const root = document.querySelector(".clips");
  if (!root) return;
  const { arms, clips, axis } = JSON.parse(document.getElementById("clips-data").textContent);
  const listed = [...root.querySelectorAll(".clip")]; // what a page without script shows, in the same order
  const panel = root.querySelector(".panel");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const at = { clip: 0, arm: null, stage: 0 };
  let answer = null;

  // --- the switches ---

  const group = (names, of) => [...new Set(names.map(of))].map((name) => [name, names.map((one, i) => [i, one]).filter(([, one]) => of(one) === name)]);
  const pick = choice("Clip", () => (select(Number(pick.select.value)), draw()));
  const backbone = choice("Backbone", () => switched());
  const method = choice("Method", () => switched());
  const rate = choice("Keep-rate", () => switched());
  const slider = make("input", { type: "range", min: 0, value: 0, step: 1, "aria-label": "Stage", oninput: () => ((at.stage = Number(slider.value)), draw()) });
  const stages = make("div", { class: "stages", "aria-hidden": "true" });
  const truth = make("input", { type: "checkbox", checked: true, onchange: () => draw() });
  const outline = make("label", { class: "tick" }, truth, " outline the ground truth");
  const audio = make("audio", { controls: true, preload: "auto" });
  const silent = make("p", { class: "credit" });
  const canvas = make("canvas", { role: "img" });
  const told = make("p", { class: "told", role: "status" });
  const verdict = make("p", { class: "outcome" });
  const words = make("p", { class: "transcript" });
  const table = make("div", { class: "all-answers" });
  const key = make("ul", { class: "legend" }, ...[["kept", "kept"], ["pruned", "pruned"], ["padding", "padding"], ["truth", "ground truth"]].map(([name, text]) => make("li", {}, make("span", { class: `swatch ${name}` }), text)));

  const own = () => clips[at.clip].answers.map((one) => arms[one.arm]);
  const values = (list, of) => [...new Set(list.map(of))];
  const named = (name) => (name === "none" ? "unpruned" : name);
  const switched = () => {
    const list = own();
    backbone.fill(values(list, (arm) => arm.backbone).map((name) => [name, name]), backbone.select.value);
    const ofBackbone = list.filter((arm) => arm.backbone === backbone.select.value);
    const methods = values(ofBackbone, (arm) => arm.method);
    method.fill(methods.map((name) => [name, named(name)]), method.select.value || methods.find((name) => name !== "none"));
    const ofMethod = ofBackbone.filter((arm) => arm.method === method.select.value);
    rate.fill(values(ofMethod, (arm) => arm.keep_rate).map((name) => [name, name]), rate.select.value);
    const arm = ofMethod.find((one) => one.keep_rate === rate.select.value);
    at.arm = arm ? arms.indexOf(arm) : null;
    answer = clips[at.clip].answers.find((one) => one.arm === at.arm);
    const count = arm ? arm.stages.length : 1;
    slider.max = Math.max(0, count - 1);
    slider.disabled = count < 2;
    at.stage = Math.min(at.stage, count - 1);
    slider.value = at.stage;
    stages.replaceChildren(...(arm ? arm.stages : []).map((name) => make("span", {}, name.replace("after block ", "block "))));
    draw();
  };
  const select = (number) => {
    at.clip = number;
    pick.select.value = number;
    const shownOf = listed[number];
    picture.src = shownOf.querySelector("img").src;
    const sound = shownOf.querySelector("audio");
    audio.pause();
    audio.hidden = !sound;
    if (sound) audio.src = sound.src;
    audio.setAttribute("aria-label", `Sound of ${clips[number].name}`);
    silent.textContent = shownOf.querySelector(".credit").textContent;
    table.replaceChildren(shownOf.querySelector(".scroll").cloneNode(true));
    const speech = !clips[number].time;
    for (const part of [slider, stages, key, outline]) part.hidden = speech;
    outline.hidden = speech || !clips[number].signal;
    switched();
  };

  // --- the picture ---

  const picture = new Image();
  picture.addEventListener("load", () => draw());
  const bits = (text) => {
    const bytes = atob(text);
    return (i) => (bytes.charCodeAt(i >> 3) >> (7 - (i & 7))) & 1;
  };
  const LEFT = 34, BOTTOM = 30, TOP = 8, HEIGHT = 240;

  const draw = () => {
    const clip = clips[at.clip];
    say(clip);
    const scale = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    if (!width || !picture.complete || !picture.naturalWidth) return;
    const [w, h] = [width - LEFT - 4, HEIGHT - TOP - BOTTOM];
    [canvas.width, canvas.height] = [width * scale, HEIGHT * scale];
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.translate(LEFT, TOP);
    pen.imageSmoothingEnabled = false;
    const x = (frame) => (frame / clip.frames) * w;
    const y = (bin) => h - (bin / 128) * h;
    const box = (t, f) => [x(t * clip.stride), y(f * clip.stride + clip.patch), x(clip.patch), h - y(clip.patch)];
    pen.drawImage(picture, 0, 0, w, h);
    const mask = at.stage && answer ? bits(answer.masks[at.stage - 1]) : null;
    if (mask) {
      pen.fillStyle = colour("--paper");
      pen.globalAlpha = 0.9;
      pen.fillRect(0, 0, w, h);
      pen.globalAlpha = 1;
      const kept = new Path2D();
      each(clip, (t, f, i) => mask(i) && kept.rect(...box(t, f)));
      pen.save();
      pen.clip(kept);
      pen.drawImage(picture, 0, 0, w, h);
      pen.restore();
      twice(pen, kept, colour("--ink"), 0.75);
    }
    if (clip.time && clip.padding < clip.time) hatch(pen, x(clip.padding * clip.stride), w, h, "#444");
    if (clip.signal && truth.checked) surround(pen, clip, bits(clip.signal), box, colour("--truth"));
    scales(pen, clip, w, h, colour("--ink"));
    if (!audio.hidden && audio.currentTime > 0 && !audio.ended) {
      pen.fillStyle = colour("--truth");
      pen.fillRect((audio.currentTime / clip.seconds) * w - 1, 0, 2, h);
    }
  };
  // A line that is seen on bright and on dark: in white below its own colour.
  const twice = (pen, line, colour, width) => {
    for (const [stroke, own] of [["#fff", width + 1.5], [colour, width]]) {
      pen.strokeStyle = stroke;
      pen.lineWidth = own;
      pen.stroke(line);
    }
  };
  const each = (clip, act) => {
    for (let t = 0; t < clip.time; t++) for (let f = 0; f < clip.freq; f++) act(t, f, t * clip.freq + f);
  };
  const hatch = (pen, from, w, h, colour) => {
    pen.save();
    pen.beginPath();
    pen.rect(from, 0, w - from, h);
    pen.clip();
    const lines = new Path2D();
    for (let i = from - h; i < w; i += 8) lines.moveTo(i, h), lines.lineTo(i + h, 0);
    twice(pen, lines, colour, 1);
    pen.restore();
  };
  // A line around the patches of a set: every edge that has the set on one side alone.
  const surround = (pen, clip, inside, box, colour) => {
    const has = (t, f) => t >= 0 && f >= 0 && t < clip.time && f < clip.freq && inside(t * clip.freq + f);
    const line = new Path2D();
    each(clip, (t, f, i) => {
      if (!inside(i)) return;
      const [left, top, width, height] = box(t, f);
      const edge = (x1, y1, x2, y2) => (line.moveTo(x1, y1), line.lineTo(x2, y2));
      if (!has(t - 1, f)) edge(left, top, left, top + height);
      if (!has(t + 1, f)) edge(left + width, top, left + width, top + height);
      if (!has(t, f + 1)) edge(left, top, left + width, top);
      if (!has(t, f - 1)) edge(left, top + height, left + width, top + height);
    });
    twice(pen, line, colour, 2);
  };
  const scales = (pen, clip, w, h, colour) => {
    pen.fillStyle = pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const [name, share] of axis) pen.fillText(name, -6, h - share * h), pen.fillRect(-3, h - share * h - 0.5, 3, 1);
    pen.textBaseline = "top";
    const step = [0.25, 0.5, 1, 2, 5, 10].find((one) => clip.seconds / one <= 8) || 10;
    for (let s = 0; s <= clip.seconds + 1e-6; s += step) {
      const place = Math.min((s / clip.seconds) * w, w);
      pen.textAlign = s + step > clip.seconds ? "right" : s ? "center" : "left";
      pen.fillText(s + step > clip.seconds ? `${s} s` : `${s}`, place, h + 5);
      pen.fillRect(place - 0.5, h, 1, 3);
    }
  };

  // --- in words ---

  const say = (clip) => {
    const arm = arms[at.arm];
    if (!answer) return;
    verdict.replaceChildren(
      make("span", {}, `Label: `, make("strong", {}, clip.label)),
      make("span", {}, clip.time ? " · says: " : " · heard: ", make("strong", {}, answer.said || "not evaluated"), answer.right === null ? "" : answer.right ? " – right" : " – wrong"),
      answer.true && answer.true !== answer.said ? make("span", {}, ` · its own label: ${answer.true}`) : "",
      make("span", {}, " · ", make("a", { href: `#${arm.anchor}` }, "cell")),
    );
    verdict.className = `outcome ${answer.right === false ? "wrong" : "right"}`;
    words.hidden = !answer.words.length;
    const heard = table.querySelector(`tr[data-arm="${at.arm}"] .heard`);
    words.replaceChildren(...(heard ? heard.cloneNode(true).childNodes : []));
    for (const row of table.querySelectorAll("tr[data-arm]")) {
      if (Number(row.dataset.arm) === at.arm) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const text = clip.time ? counted(clip, arm) : "";
    told.hidden = !text;
    told.textContent = text;
    canvas.setAttribute("aria-label", `Spectrogram of ${clip.name}, ${clip.label}. ${text}`);
    slider.setAttribute("aria-valuetext", arm.stages[at.stage] || "");
  };
  const counted = (clip, arm) => {
    const mask = at.stage ? bits(answer.masks[at.stage - 1]) : () => 1;
    const signal = clip.signal ? bits(clip.signal) : null;
    const of = { all: [0, 0], truth: [0, 0], padding: [0, 0] };
    each(clip, (t, f, i) => {
      const kinds = ["all", signal && signal(i) ? "truth" : "", t >= clip.padding ? "padding" : ""];
      for (const kind of kinds) if (kind) (of[kind][1] += 1), (of[kind][0] += mask(i) ? 1 : 0);
    });
    const stage = arm.stages[at.stage];
    if (!at.stage) return `Input: ${of.all[1]} patches${signal ? `, ${of.truth[1]} with ground truth` : ""}, ${of.padding[1]} padding.`;
    const parts = [`${of.all[0]} of ${of.all[1]} patches are kept`];
    if (signal) parts.push(`${of.truth[0]} of the ${of.truth[1]} with ground truth`);
    if (of.padding[1]) parts.push(`${of.padding[0]} of the ${of.padding[1]} that are padding`);
    return `${stage[0].toUpperCase()}${stage.slice(1)}: ${parts.join(", ")}.`;
  };

  // --- the page ---

  pick.fill(group(clips, (clip) => clip.dataset).map(([name, list]) => [name, list.map(([i, clip]) => [i, `${clip.label} (${clip.name})`])]), "0");
  panel.append(
    make("div", { class: "controls" }, pick.box, backbone.box, method.box, rate.box, outline),
    audio, silent, canvas, key,
    make("div", { class: "stage" }, slider, stages),
    told, verdict, words,
    make("details", {}, make("summary", {}, "What every model says of this clip"), table),
  );
  root.querySelector(".clip-list").hidden = true;
  panel.hidden = false;
  const follow = () => {
    const number = listed.findIndex((one) => `#${one.id}` === location.hash);
    if (number >= 0) select(number), panel.scrollIntoView();
  };
  const play = () => {
    draw();
    if (!audio.paused && !calm.matches) requestAnimationFrame(play);
  };
  for (const event of ["play", "pause", "ended", "seeked", "timeupdate"]) audio.addEventListener(event, event === "play" ? play : draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", draw);
  select(0);
  follow();
})();
