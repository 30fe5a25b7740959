// Liveness, copying, and the graph's pan, zoom, minimap and keys. Every page works without any of it.
"use strict";
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Copy buttons: shown only where copying works.
function offerCopies(within = document) {
  if (navigator.clipboard) for (const button of all("[data-copy][hidden]", within)) button.hidden = false;
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1200);
});

// Times age.
const UNITS = [[31536000, "year"], [2592000, "month"], [86400, "day"], [3600, "hour"], [60, "minute"]];
function ago(date) {
  const seconds = (Date.now() - date) / 1000;
  if (seconds < 10) return "just now";
  for (const [size, name] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count) return `${count} ${name}${count > 1 ? "s" : ""} ago`;
  }
  return `${Math.floor(seconds)} seconds ago`;
}
setInterval(() => { for (const time of all("time")) time.textContent = ago(new Date(time.dateTime)); }, 10000);

// The graph: the page scrolls it, this scales it.
let zoom = 1;
function scale(next, at) {
  const canvas = one("#canvas"), graph = one("#graph");
  if (!canvas || !graph) return;
  const box = graph.viewBox.baseVal, before = zoom;
  zoom = Math.min(2, Math.max(0.15, next));
  const x = at ? at.x - canvas.getBoundingClientRect().left : canvas.clientWidth / 2;
  const y = at ? at.y - canvas.getBoundingClientRect().top : canvas.clientHeight / 2;
  const left = (canvas.scrollLeft + x) * zoom / before - x, top = (canvas.scrollTop + y) * zoom / before - y;
  graph.setAttribute("width", box.width * zoom);
  graph.setAttribute("height", box.height * zoom);
  canvas.classList.toggle("overflows-x", box.width * zoom > canvas.clientWidth);
  canvas.scrollTo(left, top);
  drawMinimap();
}
function fit() {
  const canvas = one("#canvas"), graph = one("#graph");
  if (!canvas || !graph) return;
  const box = graph.viewBox.baseVal, room = parseFloat(getComputedStyle(canvas).maxHeight) || canvas.clientHeight;
  scale(Math.min(1, (canvas.clientWidth - 2) / box.width, (room - 4) / box.height));
}
function firstLook() {
  const canvas = one("#canvas"), graph = one("#graph");
  if (!canvas || !graph) return;
  const box = graph.viewBox.baseVal;
  scale(Math.max(0.55, Math.min(1, (canvas.clientWidth - 2) / box.width)));
  const node = one(".node.selected, .cell.selected, .node.failed, .node.running");
  if (node && (canvas.scrollHeight > canvas.clientHeight + 4 || canvas.scrollWidth > canvas.clientWidth + 4)) show(node);
}
function show(node) {
  const canvas = one("#canvas"), a = node.getBoundingClientRect(), b = canvas.getBoundingClientRect();
  canvas.scrollBy(a.left - b.left - (b.width - a.width) / 2, a.top - b.top - (b.height - a.height) / 2);
}
function drawMinimap() {
  const map = one("#minimap"), canvas = one("#canvas"), graph = one("#graph");
  if (!map || !graph) return;
  const box = graph.viewBox.baseVal;
  map.toggleAttribute("hidden", canvas.scrollWidth <= canvas.clientWidth + 4 && canvas.scrollHeight <= canvas.clientHeight + 4);
  map.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  const dots = all(".node", graph).map((node) => {
    const at = node.transform.baseVal[0]?.matrix, card = one(".card", node);
    return at ? `<rect class="node-dot ${node.classList[1]}" x="${at.e}" y="${at.f}" width="${card.getAttribute("width")}" height="${card.getAttribute("height")}"/>` : "";
  });
  map.innerHTML = dots.join("") + `<rect class="window" x="${canvas.scrollLeft / zoom}" y="${canvas.scrollTop / zoom}" width="${Math.min(box.width, canvas.clientWidth / zoom)}" height="${Math.min(box.height, canvas.clientHeight / zoom)}"/>`;
}
function panTo(event) {
  const map = one("#minimap"), canvas = one("#canvas"), point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  canvas.scrollTo(point.x * zoom - canvas.clientWidth / 2, point.y * zoom - canvas.clientHeight / 2);
}
function drag() {
  const stage = one(".stage");
  if (!stage) return;
  let from = null, moved = false;
  stage.addEventListener("pointerdown", (event) => {
    const canvas = event.target.closest("#canvas");
    moved = false;
    if (event.target.closest("#minimap")) panTo(event);
    else if (canvas && event.button === 0) from = { x: event.clientX + canvas.scrollLeft, y: event.clientY + canvas.scrollTop };
  });
  window.addEventListener("pointermove", (event) => {
    const canvas = one("#canvas");
    if (!from || !canvas) return;
    const left = from.x - event.clientX, top = from.y - event.clientY;
    if (!moved && Math.hypot(left - canvas.scrollLeft, top - canvas.scrollTop) < 5) return;
    moved = true;
    canvas.classList.add("dragging");
    canvas.scrollTo(left, top);
  });
  window.addEventListener("pointerup", () => { from = null; one("#canvas")?.classList.remove("dragging"); });
  stage.addEventListener("click", (event) => { if (moved) { event.preventDefault(); event.stopPropagation(); moved = false; } }, true);
  stage.addEventListener("dragstart", (event) => event.preventDefault());
  stage.addEventListener("scroll", () => requestAnimationFrame(drawMinimap), true);
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    scale(zoom * Math.exp(-event.deltaY / 300), { x: event.clientX, y: event.clientY });
  }, { passive: false });
  const zooms = { in: () => scale(zoom * 1.25), out: () => scale(zoom / 1.25), fit };
  stage.addEventListener("click", (event) => zooms[event.target.dataset.zoom]?.());
  const tools = one(".tools");
  if (tools) tools.hidden = false;
  one("#findstep")?.addEventListener("input", markFound);
  one("#findstep")?.addEventListener("keydown", (event) => {
    const found = one(".node:not(.dim)");
    if (event.key === "Enter" && found) { event.preventDefault(); found.focus(); show(found); }
  });
}
function markFound() {
  const text = (one("#findstep")?.value ?? "").toLowerCase();
  for (const node of all("#graph .node")) node.classList.toggle("dim", text !== "" && !node.getAttribute("aria-label").toLowerCase().includes(text));
  const found = text && one("#graph .node:not(.dim)");
  if (found) show(found);
}

// Keys.
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function neighbour(node, [dx, dy]) {
  const middle = (element) => { const r = element.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; };
  const [x, y] = middle(node);
  let best = null, least = Infinity;
  for (const other of all("#graph .node")) {
    const [ox, oy] = middle(other), along = (ox - x) * dx + (oy - y) * dy, across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    if (other !== node && along > 2 && along + 2.5 * across < least) { best = other; least = along + 2.5 * across; }
  }
  return best;
}
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const node = event.target.closest?.("#graph .node");
  if (STEPS[event.key] && (node || event.target.id === "canvas")) {
    const next = node ? neighbour(node, STEPS[event.key]) : one("#graph .node");
    if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({ block: "nearest", inline: "nearest" }); }
    return;
  }
  const keys = { "/": () => one(".find input").focus(), "?": () => one("#help").showModal(), "+": () => scale(zoom * 1.25), "-": () => scale(zoom / 1.25), 0: fit, Escape: () => one(".panel .close")?.click() };
  if (keys[event.key] && !(event.key === "Escape" && one("#help").open)) { event.preventDefault(); keys[event.key](); }
});

// Logs open at the line that explains a failure, else at their end; and stay there while they grow.
function followLogs(wasAtEnd = true) {
  for (const log of all("[data-follow]")) {
    const cause = one(".cause", log);
    if (cause && wasAtEnd) log.scrollTop = cause.offsetTop - log.offsetTop - log.clientHeight / 2;
    else if (wasAtEnd) log.scrollTop = log.scrollHeight;
  }
}

// Liveness: the server sends the parts of the page that changed.
function patch(parts) {
  for (const [name, html] of Object.entries(parts)) {
    const target = document.getElementById(name);
    if (!target || target.dataset.html === html) continue;
    const focused = target.contains(document.activeElement) ? document.activeElement.id : "";
    const canvas = one("#canvas", target), place = canvas && [canvas.scrollLeft, canvas.scrollTop];
    const log = one("[data-follow]", target), atEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 40, top = log?.scrollTop;
    const open = all("details", target).map((details) => details.open), ticked = all("input:checked", target).map((input) => input.id);
    const typed = all("input[id]:not([type=checkbox])", target).filter((input) => input.value !== input.defaultValue).map((input) => [input.id, input.value, input.selectionStart]);
    target.innerHTML = html;
    all("details", target).forEach((details, i) => { details.open = open[i] ?? details.open; });
    for (const id of ticked) { const input = document.getElementById(id); if (input) input.checked = true; }
    if (place) { const kept = zoom; scale(kept); one("#canvas").scrollTo(...place); markFound(); }
    const fresh = one("[data-follow]", target);
    if (fresh) { if (atEnd) followLogs(); else fresh.scrollTop = top; }
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    for (const [id, value, place] of typed) {
      const input = document.getElementById(id);
      if (input) { input.value = value; if (id === focused) input.setSelectionRange(place, place); }
    }
    offerCopies(target);
  }
}
function live() {
  const address = document.body.dataset.live;
  if (!address) return;
  let source = null;
  const follow = () => {
    source = new EventSource(`/live?for=${encodeURIComponent(address)}`);
    source.addEventListener("patch", (event) => patch(JSON.parse(event.data)));
    source.addEventListener("end", () => { source.close(); document.body.dataset.ended = "true"; });
  };
  const rest = () => { source?.close(); source = null; };
  // A browser has six connections to a server: tabs that nobody sees leave theirs to others.
  const turn = () => {
    if (document.visibilityState === "hidden") rest();
    else if (!source && !document.body.dataset.ended) follow();
  };
  document.addEventListener("visibilitychange", turn);
  window.addEventListener("pagehide", rest);
  turn();
}

offerCopies(); drag(); firstLook(); followLogs(); live();
one(".line.cause")?.closest(".panel")?.scrollTo(0, 0);
