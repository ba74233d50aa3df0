"use strict";

{% include "sliders.js" %}

const state = JSON.parse(document.getElementById("state").textContent);
const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Pictures A and B: their file's name, one data URL for each run, and the
// commands that make the file, if it is not the reader's own.
const slots = { a: null, b: null };

// Asking -------------------------------------------------------------------

async function post(path, body, type) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": type },
      body,
    });
  } catch {
    throw new Error("No answer: is vaegan-explore still running?");
  }
  const values = await answer.json();
  if (!answer.ok) throw new Error(values.error);
  return values.runs;
}

// A tool has one request under way, and after it the newest, if any.
const waiting = {};

async function ask(tool, request, show) {
  const next = { request, show };
  if (tool in waiting) {
    waiting[tool] = next;
    return;
  }
  for (let now = next; now; now = waiting[tool]) {
    waiting[tool] = null;
    try {
      const runs = state.runs.map((_, run) => now.request(run));
      const body = JSON.stringify({ runs });
      const answers = await post(tool, body, "application/json");
      answers.forEach((answer, run) => present(tool, run, answer, now.show));
    } catch (error) {
      state.runs.forEach((_, run) =>
        present(tool, run, { error: error.message }));
    }
  }
  delete waiting[tool];
}

function present(tool, run, answer, show) {
  const part = all(`#${tool}-results > article`)[run];
  const problem = find(".problem", part);
  problem.textContent = answer.error ?? "";
  problem.hidden = !answer.error;
  find(".actions", part).hidden = Boolean(answer.error);
  if (answer.error) {
    find(".pictures", part).replaceChildren();
    return;
  }
  find(".save", part).href = answer.figure;
  find("code", part).replaceChildren(
    ...words([...before(tool), answer.command].join("\n")));
  find(".pictures", part).replaceChildren(...show(answer, run));
}

// The commands that make the pictures that a tool works on.
function before(tool) {
  const used = { edit: ["a"], anomaly: ["a"], sample: [] }[tool] ?? ["a", "b"];
  return [...new Set(used.flatMap(slot => slots[slot].before))];
}

// A text whose lines break between words, and at none of their hyphens.
function words(text) {
  return text.split(/(\s)/).map((part, index) =>
    index % 2 ? part : make("span", { textContent: part }));
}

// Showing ------------------------------------------------------------------

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function figure(source, caption) {
  return make("figure", {}, make("img", { src: source, alt: caption }),
    make("figcaption", { textContent: caption }));
}

function numbers(answer) {
  const rows = [
    ["Learned distance", answer.numbers.feature_distance],
    ["Its largest value in the map", answer.largest],
    ["Distance of pixels", answer.numbers.pixel_distance],
  ];
  return make("dl", {}, ...rows.flatMap(([name, value]) => [
    make("dt", { textContent: name }),
    make("dd", { textContent: value.toPrecision(3) }),
  ]));
}

// Tools --------------------------------------------------------------------

const number = input => Number(input.value);

function strengths(group) {
  const inputs = all(`${group} input`);
  return Object.fromEntries(
    inputs.map(input => [input.dataset.attribute, number(input)]));
}

function sample() {
  const seed = find("#seed");
  if (!seed.checkValidity() || seed.value === "") return;
  const request = {
    seed: number(seed),
    sampler: find("#sampler").value,
    attributes: strengths("#conditions"),
  };
  return ask("sample", () => request, (answer, run) => [
    make("div", { className: "tiles" }, ...answer.pictures.map((url, index) => {
      const name = `${String(index).padStart(5, "0")}.png`;
      const tile = make("button", { type: "button", ariaPressed: "false" },
        make("img", { src: url, alt: `Sample ${index + 1}` }));
      tile.dataset.index = index;
      tile.addEventListener("click", () => {
        all(".tiles button").forEach(t => { t.ariaPressed = t === tile; });
        const slot = find("input[name=slot]:checked").value;
        use(slot, bytes(url), answer.folder + name, [answer.files_command]);
      });
      return tile;
    })),
  ]);
}

function edit() {
  if (!slots.a) return;
  const request = run => ({
    ...picture("a", run),
    attributes: strengths("#attributes"),
    vectors: find("#vectors")?.value ?? "balanced",
    keep: find("#keep")?.checked ? "residual" : "none",
  });
  return ask("edit", request, answer => [
    figure(answer.original, "Picture A"),
    figure(answer.reconstruction, "Reconstruction"),
    figure(answer.figure, "Edit"),
  ]);
}

function between() {
  if (!slots.a || !slots.b) return;
  const request = run => ({ ...pair(run), path: find("#path").value });
  return ask("between", request, answer => {
    const shown = figure(answer.pictures[number(find("#frame"))], "Between");
    shown.frames = answer.pictures;
    shown.className = "moving";
    return [shown, make("div", { className: "strip" },
      ...answer.pictures.map(url => make("img", { src: url, alt: "" })))];
  });
}

function moveFrame() {
  colour(find("#frame"));
  for (const shown of all(".moving")) {
    find("img", shown).src = shown.frames[number(find("#frame"))];
  }
}

function compare() {
  if (!slots.a || !slots.b) return;
  return ask("compare", pair, answer => [
    figure(answer.original, "Picture A"),
    figure(answer.other, "Picture B"),
    figure(answer.map, "Where they differ"),
    numbers(answer),
  ]);
}

function anomaly() {
  if (!slots.a) return;
  return ask("anomaly", run => picture("a", run), answer => [
    figure(answer.original, "Picture A"),
    figure(answer.other, "Reconstruction"),
    figure(answer.map, "Where they differ"),
    numbers(answer),
  ]);
}

const picture = (slot, run) =>
  ({ picture: slots[slot].pictures[run], name: slots[slot].name });

const pair = run => ({
  ...picture("a", run),
  other: slots.b.pictures[run],
  other_name: slots.b.name,
});

// Pictures -----------------------------------------------------------------

function bytes(url) {
  const text = atob(url.slice(url.indexOf(",") + 1));
  return Uint8Array.from(text, letter => letter.charCodeAt(0));
}

async function use(slot, content, name, commands) {
  const part = find(`#slot-${slot}`);
  const note = find(".note", part);
  note.classList.remove("problem");
  try {
    if ((content.size ?? content.length) > state.max_upload) {
      const most = state.max_upload / 2 ** 20;
      throw new Error(`The file is too large: it may have ${most} MiB.`);
    }
    note.textContent = "Reading …";
    const path = `photograph?name=${encodeURIComponent(name)}`;
    const cuts = await post(path, content, "application/octet-stream");
    if (cuts[0].error) throw new Error(cuts[0].error);
    const pictures = cuts.map(cut => cut.picture);
    slots[slot] = { name, pictures, before: commands };
    note.textContent = `${name}. ${cuts[0].note}`;
    find(".pictures", part).replaceChildren(
      make("img", { src: pictures[0], alt: `Picture ${slot.toUpperCase()}` }));
    const save = find(".save", part);
    Object.assign(save, {
      href: pictures[0],
      download: name.split("/").pop().replace(/(\.\w*)?$/, ".png"),
      hidden: false,
    });
    const tools = slot === "a" ? [edit, between, compare, anomaly]
      : [between, compare];
    await Promise.all(tools.map(tool => tool()));
  } catch (error) {
    note.classList.add("problem");
    note.textContent = error.message;
  }
}

// Camera -------------------------------------------------------------------

const dialog = find("#camera");
const video = find("video", dialog);
let shooting = "a";

async function openCamera(slot) {
  shooting = slot;
  const note = find(`#slot-${slot} .note`);
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia(
      { video: { facingMode: "user" } });
    dialog.showModal();
  } catch (error) {
    note.classList.add("problem");
    note.textContent = `There is no camera: ${error.message}.`;
  }
}

function closeCamera() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

function shoot() {
  const canvas = make("canvas",
    { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob(blob => use(shooting, blob, "camera.png",
    ["# camera.png is the picture that its button Save gives"]));
  dialog.close();
}

// Controls -----------------------------------------------------------------

function showValue(input) {
  colour(input);
  const output = input.parentElement.querySelector("output");
  if (output) output.textContent = number(input).toString();
}

for (const [group, tool] of [["#attributes", edit], ["#conditions", sample]]) {
  for (const input of all(`${group} input`)) {
    input.addEventListener("input", () => { showValue(input); tool(); });
  }
}
find("#seed").addEventListener("input", sample);
find("#sampler").addEventListener("change", sample);
find("#next-seed").addEventListener("click", () => {
  find("#seed").stepUp();
  sample();
});
find("#vectors")?.addEventListener("change", edit);
find("#keep")?.addEventListener("change", edit);
find("#reset")?.addEventListener("click", () => {
  for (const input of all("#attributes input")) {
    input.value = 0;
    showValue(input);
  }
  edit();
});
find("#frame").addEventListener("input", moveFrame);
find("#path").addEventListener("change", between);
for (const slot of ["a", "b"]) {
  const part = find(`#slot-${slot}`);
  const take = ([file]) => { if (file) use(slot, file, file.name, []); };
  find("input[type=file]", part).addEventListener("change", event => {
    take(event.target.files);
    event.target.value = "";
  });
  part.addEventListener("drop", event => take(event.dataTransfer.files));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    part.addEventListener(kind, event => {
      event.preventDefault();
      part.classList.toggle("aimed", kind === "dragover");
    });
  }
  const camera = find(".camera", part);
  camera.hidden = !navigator.mediaDevices;
  camera.addEventListener("click", () => openCamera(slot));
}
find("#shoot").addEventListener("click", shoot);
find("#cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", closeCamera);
for (const button of all(".copy")) {
  button.addEventListener("click", async () => {
    const code = find("code", button.parentElement);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {  // As where the page has no permission: the reader copies.
      getSelection().selectAllChildren(code);
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
// Browsers keep what was typed when a page is loaded again.
all("input[type=range]").forEach(showValue);

// The first two samples are the first two pictures.
async function start() {
  await sample();
  const tiles = all("#sample-results article:first-child .tiles button");
  for (const [slot, tile] of [["b", tiles[1]], ["a", tiles[0]]]) {
    if (!tile) continue;
    find(`input[name=slot][value=${slot}]`).checked = true;
    tile.click();
  }
}
start();
