"use strict";
const page = JSON.parse(document.getElementById("data").textContent);
const $$ = (id) => document.getElementById(id);
const KINDS = page.kinds, SIZES = page.sizes, UNIT = page.unit, LANE = page.lane_width;

// ---- decoding: integers of UNIT metres, first absolute, then differences ----
function line(numbers) {
  const points = [];
  let x = 0, y = 0;
  for (let i = 0; i < numbers.length; i += 2) {
    x += numbers[i]; y += numbers[i + 1];
    points.push([x * UNIT, y * UNIT]);
  }
  return points;
}
function track(pieces, steps) {
  const points = new Array(steps).fill(null);
  for (const [start, ...numbers] of pieces) line(numbers).forEach((point, k) => { points[start + k] = point; });
  return points;
}
const decoded = new Map();
function scene(index) {
  if (!decoded.has(index)) {
    const raw = page.scenes[index];
    const agents = raw.agents.map((agent) => ({ ...agent, points: track(agent.track, raw.steps) }));
    decoded.set(index, {
      ...raw, agents, lanes: raw.lanes.map(line), areas: raw.areas.map((rings) => rings.map(line)),
      crossings: raw.crossings.map(line), boundaries: raw.boundaries.map(line), modes: raw.modes.map(line),
    });
  }
  return decoded.get(index);
}

// ---- drawing, the same for the large view and the cards ----
let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ground", "road", "intersection", "centreline", "boundary", "crossing", "target", "truth", "mode", "halo",
    "label", "ego", "ink", "muted", ...KINDS];
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
}
const RAMP = [[251, 213, 217], [247, 104, 161], [174, 1, 126], [73, 0, 106]];
function heat(value) {
  if (value === null || value === undefined) return colours.other;
  const place = (value / 255) * (RAMP.length - 1), low = Math.min(Math.floor(place), RAMP.length - 2), t = place - low;
  return `rgb(${RAMP[low].map((c, i) => Math.round(c + (RAMP[low + 1][i] - c) * t)).join()})`;
}
function path(ctx, points, close) {
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  if (close) ctx.closePath();
}
function stroke(ctx, points, colour, width, alpha = 1) {
  if (points.length < 2) return;
  ctx.globalAlpha = alpha; ctx.strokeStyle = colour; ctx.lineWidth = width;
  ctx.beginPath(); path(ctx, points); ctx.stroke(); ctx.globalAlpha = 1;
}
function drawMap(ctx, s, px, show) {
  ctx.lineJoin = "round"; ctx.lineCap = "round";
  if (s.areas.length) {
    ctx.fillStyle = colours.road;
    for (const rings of s.areas) { ctx.beginPath(); rings.forEach((ring) => path(ctx, ring, true)); ctx.fill("evenodd"); }
  } else {
    s.lanes.forEach((points) => stroke(ctx, points, colours.road, LANE));
    ctx.lineCap = "butt";
    s.lanes.forEach((points, i) => { if (s.intersection[i] === "1") stroke(ctx, points, colours.intersection, LANE); });
    ctx.lineCap = "round";
  }
  ctx.fillStyle = colours.crossing;
  for (const ring of s.crossings) { ctx.beginPath(); path(ctx, ring, true); ctx.fill(); }
  if (show.lanes) {
    s.boundaries.forEach((points) => stroke(ctx, points, colours.boundary, 0.8 * px));
    if (!(show.activation && s.lane_activation)) s.lanes.forEach((points) => stroke(ctx, points, colours.centreline, 1.3 * px));
  }
  if (show.activation && s.lane_activation) {
    const order = s.lanes.map((_, i) => i).sort((a, b) => (s.lane_activation[a] ?? -1) - (s.lane_activation[b] ?? -1));
    order.forEach((i) => stroke(ctx, s.lanes[i], heat(s.lane_activation[i]), 1.4));
  }
}
function heading(agent, step) {
  const near = agent.points.slice(Math.max(step - 3, 0), step + 3).filter(Boolean);
  const dx = near[near.length - 1][0] - near[0][0], dy = near[near.length - 1][1] - near[0][1];
  return Math.hypot(dx, dy) > 0.4 ? Math.atan2(dy, dx) : agent.heading;
}
function drawBox(ctx, agent, step, colour, px) {
  const [x, y] = agent.points[step], [length, width] = SIZES[agent.kind], angle = heading(agent, step);
  ctx.fillStyle = colour; ctx.strokeStyle = colours.halo; ctx.lineWidth = 0.8 * px;
  ctx.save(); ctx.translate(x, y); ctx.beginPath();
  if (angle === null) ctx.arc(0, 0, width / 2, 0, 2 * Math.PI);
  else { ctx.rotate(angle); ctx.rect(-length / 2, -width / 2, length, width); }
  ctx.fill(); ctx.stroke(); ctx.restore();
}
function drawAgents(ctx, s, step, px, show) {
  s.agents.forEach((agent, i) => {
    if (i === 0 || !show.agents) return;
    const heated = show.activation && s.agent_activation;
    const colour = heated ? heat(s.agent_activation[i]) : agent.ego ? colours.ego : colours[agent.kind];
    if (show.futures) stroke(ctx, agent.points.slice(Math.max(step, s.history - 1)).filter(Boolean), colour, 1.2 * px, 0.4);
    if (!agent.points[step]) return;
    if (show.trails) stroke(ctx, agent.points.slice(Math.max(step - 20, 0), step + 1).filter(Boolean), colour, 1.4 * px, 0.65);
    drawBox(ctx, agent, step, colour, px);
  });
}
function strength(s, k) {
  return s.probabilities ? 0.25 + 0.75 * (s.probabilities[k] / Math.max(...s.probabilities, 1e-9)) : 0.8;
}
function drawForecasts(ctx, s, step, px, hidden, lit) {
  const now = s.agents[0].points[s.history - 1];
  for (let k = s.modes.length - 1; k >= 0; k -= 1) {
    if (hidden.has(k) || !s.modes[k].length) continue;
    const points = [now, ...s.modes[k]], alpha = lit === null ? strength(s, k) : lit === k ? 1 : 0.12;
    stroke(ctx, points, colours.mode, (1.6 + 2.2 * alpha) * px, alpha);
    const end = points[points.length - 1], before = points[Math.max(points.length - 4, 0)];
    const angle = Math.atan2(end[1] - before[1], end[0] - before[0]);
    ctx.globalAlpha = alpha; ctx.fillStyle = colours.mode; ctx.save(); ctx.translate(...end); ctx.beginPath();
    if (Math.hypot(end[0] - before[0], end[1] - before[1]) < 0.2) ctx.arc(0, 0, 0.45, 0, 2 * Math.PI);
    else { ctx.rotate(angle); ctx.moveTo(1.1, 0); ctx.lineTo(-0.7, 0.8); ctx.lineTo(-0.7, -0.8); ctx.closePath(); }
    ctx.fill(); ctx.restore();
    if (step >= s.history) dot(ctx, s.modes[k][step - s.history], colours.mode, 4 * px, px);
    ctx.globalAlpha = 1;
  }
}
function dot(ctx, [x, y], colour, radius, px) {
  ctx.fillStyle = colour; ctx.strokeStyle = colours.halo; ctx.lineWidth = 1.2 * px;
  ctx.beginPath(); ctx.arc(x, y, radius, 0, 2 * Math.PI); ctx.fill(); ctx.stroke();
}
function drawTarget(ctx, s, step, px, show) {
  const target = s.agents[0], past = target.points.slice(0, Math.min(step, s.history - 1) + 1).filter(Boolean);
  stroke(ctx, past, colours.target, 2.6 * px);
  if (s.truth && show.truth) {
    const points = target.points.slice(s.history - 1), end = points[points.length - 1];
    stroke(ctx, points, colours.halo, 4.4 * px); stroke(ctx, points, colours.truth, 2.4 * px);
    ctx.strokeStyle = colours.truth; ctx.lineWidth = 1.4 * px; ctx.setLineDash([4 * px, 3 * px]);
    ctx.beginPath(); ctx.arc(...end, page.miss, 0, 2 * Math.PI); ctx.stroke(); ctx.setLineDash([]);
    dot(ctx, end, colours.truth, 3.4 * px, px);
  }
  if (target.points[step]) drawBox(ctx, target, step, colours.target, px);
}
function draw(canvas, s, view, step, show, hidden = new Set(), lit = null) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  canvas.width = width * ratio; canvas.height = height * ratio;
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = colours.ground; ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.setTransform(view.zoom * ratio, 0, 0, -view.zoom * ratio, canvas.width / 2 - view.x * view.zoom * ratio,
    canvas.height / 2 + view.y * view.zoom * ratio);
  const px = 1 / view.zoom;
  drawMap(ctx, s, px, show);
  drawAgents(ctx, s, step, px, show);
  if (show.forecasts && step >= s.history - 1) drawForecasts(ctx, s, step, px, hidden, lit);
  drawTarget(ctx, s, step, px, show);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (show.labels) drawLabels(ctx, s, view, width, height, step, hidden);
}
function drawLabels(ctx, s, view, width, height, step, hidden) {
  const seen = ([x, y]) => [width / 2 + (x - view.x) * view.zoom, height / 2 - (y - view.y) * view.zoom];
  ctx.font = "12px system-ui, sans-serif"; ctx.textAlign = "center"; ctx.textBaseline = "middle"; ctx.lineWidth = 3.5;
  ctx.strokeStyle = colours.halo; ctx.lineJoin = "round"; ctx.fillStyle = colours.label;
  const now = seen(s.agents[0].points[s.history - 1]), taken = [];
  if (s.probabilities && step >= s.history - 1) s.modes.forEach((points, k) => {
    if (hidden.has(k) || !points.length || s.probabilities[k] === null) return;
    const [x, y] = seen(points[points.length - 1]), far = Math.hypot(x - now[0], y - now[1]) || 1;
    const place = [x + (16 * (x - now[0])) / far, y + (16 * (y - now[1])) / far];
    if (taken.some(([a, b]) => Math.abs(a - place[0]) < 36 && Math.abs(b - place[1]) < 15)) return;
    taken.push(place);
    const text = `${Math.round(100 * s.probabilities[k])} %`;
    ctx.strokeText(text, ...place); ctx.fillText(text, ...place);
  });
  ctx.textAlign = "left"; ctx.fillStyle = colours.muted;
  const bar = 10 * view.zoom;
  ctx.fillRect(16, height - 18, bar, 2); ctx.fillText("10 m", 16, height - 28);
}
function fit(s, width, height) {
  const points = [...s.agents[0].points.filter(Boolean), ...s.modes.flat()];
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const zoom = Math.min(width / Math.max(x1 - x0 + 24, 50), height / Math.max(y1 - y0 + 24, 50));
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, zoom };
}

function number(value, digits) { return value === null ? "–" : value.toFixed(digits); } // null: not a finite number
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
function metricName(name) {
  const [word, k] = name.split("_");
  return word + (k ? [...k].map((digit) => SUBSCRIPTS[digit]).join("") : "");
}

// ---- the large view ----
const canvas = $$("view"), slider = $$("time");
const layers = { forecasts: "forecasts", truth: "what happened", agents: "other agents", trails: "their past",
  futures: "their future", lanes: "lane lines", activation: "token activation" };
const show = { forecasts: true, truth: true, agents: true, trails: true, futures: false, lanes: true, activation: true, labels: true };
const cardShow = { ...show, trails: false, labels: false };
let current = 0, view = null, hidden = new Set(), lit = null, playing = false, last = 0, order = [];

function redraw() { draw(canvas, scene(current), view, Number(slider.value), show, hidden, lit); }
function setStep(step) {
  const s = scene(current);
  slider.value = Math.max(0, Math.min(step, s.steps - 1));
  const t = (Number(slider.value) - s.history + 1) / s.hz;
  $$("clock").textContent = `${t < 0 ? "−" : "+"}${Math.abs(t).toFixed(1)} s ${t > 0 ? "future" : "observed"}`;
  redraw();
}
function resetView() { view = fit(scene(current), canvas.clientWidth, canvas.clientHeight); }
function open(index, keepStep) {
  current = index; hidden = new Set(); lit = null;
  const s = scene(index);
  slider.max = s.steps - 1;
  $$("name").textContent = `${s.name} · ${s.city}`;
  $$("numbers").replaceChildren(...Object.entries(s.numbers).map(([name, value]) => entry(name, value)));
  $$("modes").replaceChildren(...s.modes.map((_, k) => modeRow(s, k)));
  const heated = Boolean(s.lane_activation || s.agent_activation);
  $$("scale").hidden = !heated;
  $$("layers").querySelector("[data-layer=activation]").hidden = !heated;
  document.querySelectorAll(".cards button").forEach((card) => card.setAttribute("aria-current", card.dataset.index === String(index)));
  history.replaceState(null, "", "#" + encodeURIComponent(s.name));
  resetView();
  setStep(keepStep ? Number(slider.value) : s.history - 1);
}
function entry(name, value) {
  const box = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
  dt.textContent = metricName(name);
  dd.textContent = number(value, 2);
  box.append(dt, dd);
  return box;
}
function modeRow(s, k) {
  const item = document.createElement("li"), label = document.createElement("label"), tick = document.createElement("input");
  const bar = document.createElement("span"), fill = document.createElement("i"), share = document.createElement("span");
  const error = document.createElement("span"), p = s.probabilities ? s.probabilities[k] : null;
  tick.type = "checkbox"; tick.checked = true; bar.className = "bar"; error.className = "error";
  fill.style.width = `${100 * (p ?? 0)}%`; bar.append(fill);
  share.textContent = p === null ? "–" : `${Math.round(100 * p)} %`;
  if (s.errors) {
    const known = s.errors.filter((e) => e !== null);
    error.textContent = s.errors[k] === null ? "–" : `${number(s.errors[k], 1)} m off`;
    if (known.length && k === s.errors.indexOf(Math.min(...known))) label.className = "best";
  }
  tick.addEventListener("change", () => { if (tick.checked) hidden.delete(k); else hidden.add(k); redraw(); });
  label.addEventListener("pointerenter", () => { lit = hidden.has(k) ? null : k; redraw(); });
  label.addEventListener("pointerleave", () => { lit = null; redraw(); });
  label.append(tick, bar, share, error); item.append(label);
  return item;
}
for (const [name, title] of Object.entries(layers)) {
  const label = document.createElement("label"), tick = document.createElement("input");
  tick.type = "checkbox"; tick.checked = show[name]; label.dataset.layer = name;
  tick.addEventListener("change", () => { show[name] = tick.checked; redraw(); });
  label.append(tick, title); $$("layers").append(label);
}
function play(on) { playing = on; $$("play").textContent = on ? "❚❚" : "▶"; $$("play").setAttribute("aria-label", on ? "pause" : "play"); last = 0; if (on) requestAnimationFrame(tick); }
function tick(time) {
  if (!playing) return;
  const s = scene(current), wait = 1000 / (s.hz * Number($$("pace").value));
  if (!last) last = time;
  if (time - last >= wait) {
    last = time;
    setStep(Number(slider.value) >= s.steps - 1 ? 0 : Number(slider.value) + 1);
  }
  requestAnimationFrame(tick);
}
$$("play").addEventListener("click", () => play(!playing));
slider.addEventListener("input", () => setStep(Number(slider.value)));

const pointers = new Map();
canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); pointers.set(event.pointerId, [event.clientX, event.clientY]); });
canvas.addEventListener("pointerup", (event) => pointers.delete(event.pointerId));
canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) { hover(event); return; }
  const others = [...pointers.entries()].filter(([id]) => id !== event.pointerId);
  if (others.length) {
    const [, [ox, oy]] = others[0];
    zoomBy(Math.hypot(event.clientX - ox, event.clientY - oy) / Math.max(Math.hypot(before[0] - ox, before[1] - oy), 1), ox, oy);
  } else {
    view.x -= (event.clientX - before[0]) / view.zoom; view.y += (event.clientY - before[1]) / view.zoom;
  }
  pointers.set(event.pointerId, [event.clientX, event.clientY]); $$("tip").hidden = true; redraw();
});
canvas.addEventListener("pointerleave", () => { $$("tip").hidden = true; });
canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoomBy(Math.exp(-event.deltaY * 0.0015), event.clientX, event.clientY); redraw(); }, { passive: false });
canvas.addEventListener("dblclick", () => { resetView(); redraw(); });
function toWorld(clientX, clientY) {
  const box = canvas.getBoundingClientRect();
  return [view.x + (clientX - box.left - box.width / 2) / view.zoom, view.y - (clientY - box.top - box.height / 2) / view.zoom];
}
function zoomBy(factor, clientX, clientY) {
  const [x, y] = toWorld(clientX, clientY), zoom = Math.max(1, Math.min(view.zoom * factor, 80)), kept = view.zoom / zoom;
  view = { x: x + (view.x - x) * kept, y: y + (view.y - y) * kept, zoom };
}
function hover(event) {
  const s = scene(current), step = Number(slider.value), [x, y] = toWorld(event.clientX, event.clientY), tip = $$("tip");
  const found = s.agents.findIndex((agent) => agent.points[step] && Math.hypot(agent.points[step][0] - x, agent.points[step][1] - y) < 2.5);
  tip.hidden = found < 0;
  if (found < 0) return;
  const agent = s.agents[found], before = agent.points[step - 5], here = agent.points[step];
  const speed = before ? `${((Math.hypot(here[0] - before[0], here[1] - before[1]) * s.hz) / 5).toFixed(1)} m/s` : "speed unknown";
  const role = found === 0 ? "target" : agent.ego ? "recording car" : agent.kind;
  const heated = s.agent_activation && s.agent_activation[found] !== null ? ` · activation ${Math.round(s.agent_activation[found] / 2.55)} %` : "";
  tip.textContent = `${role} ${agent.id} · ${speed}${heated}`;
  const box = canvas.getBoundingClientRect();
  tip.style.left = `${Math.min(event.clientX - box.left + 14, box.width - tip.offsetWidth - 6)}px`;
  tip.style.top = `${event.clientY - box.top + 14}px`;
}
document.addEventListener("keydown", (event) => {
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "range") return;
  const actions = { " ": () => play(!playing), ArrowLeft: () => setStep(Number(slider.value) - 1),
    ArrowRight: () => setStep(Number(slider.value) + 1), n: () => neighbour(1), p: () => neighbour(-1) };
  if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.tagName === "BUTTON") return;
  event.preventDefault(); actions[event.key]();
});
function neighbour(by) {
  const place = order.indexOf(current);
  if (order.length) open(order[(place + by + order.length) % order.length]);
}

// ---- gallery ----
const metrics = [...new Set(page.scenes.flatMap((s) => Object.keys(s.numbers)))];
for (const [value, text] of [...metrics.flatMap((name) => [[`-${name}`, `worst ${metricName(name)}`], [`+${name}`, `best ${metricName(name)}`]]), ["name", "name"]]) {
  const option = document.createElement("option");
  option.value = value; option.textContent = text; $$("order").append(option);
}
if (metrics.includes(page.sort)) $$("order").value = `-${page.sort}`;
const drawn = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
  if (isIntersecting) { drawCard(target); drawn.unobserve(target); }
}), { rootMargin: "300px" });
function drawCard(card) {
  const small = card.querySelector("canvas"), s = scene(Number(card.dataset.index));
  draw(small, s, fit(s, small.clientWidth, small.clientHeight), s.history - 1, cardShow);
}
function arrange() {
  const rule = $$("order").value, text = $$("find").value.trim().toLowerCase(), name = rule.slice(1), sign = rule[0] === "-" ? -1 : 1;
  order = page.scenes.map((_, i) => i).filter((i) => `${page.scenes[i].name} ${page.scenes[i].city}`.toLowerCase().includes(text));
  if (rule === "name") order.sort((a, b) => page.scenes[a].name.localeCompare(page.scenes[b].name, undefined, { numeric: true }));
  else order.sort((a, b) => sign * ((page.scenes[a].numbers[name] ?? 0) - (page.scenes[b].numbers[name] ?? 0)));
  $$("count").textContent = `${order.length} of ${page.scenes.length}${page.of > page.scenes.length ? ` shown, out of ${page.of}` : ""}`;
  $$("cards").replaceChildren(...order.map((index) => {
    const card = document.createElement("button"), small = document.createElement("canvas"), box = document.createElement("div");
    const title = document.createElement("b"), line = document.createElement("span"), s = page.scenes[index];
    card.type = "button"; card.dataset.index = index; card.setAttribute("aria-current", index === current);
    title.textContent = `${s.name} · ${s.city}`; box.className = "text";
    line.textContent = Object.entries(s.numbers).slice(0, 2).map(([key, value]) => `${metricName(key)} ${number(value, 2)}`).join("  ");
    box.append(title, line); card.append(small, box);
    card.addEventListener("click", () => { open(index); $$("view").scrollIntoView({ behavior: "smooth", block: "nearest" }); });
    drawn.observe(card);
    return card;
  }));
}
$$("order").addEventListener("change", arrange);
$$("find").addEventListener("input", arrange);
function refresh() { readColours(); resetView(); redraw(); document.querySelectorAll(".cards button").forEach((card) => drawn.observe(card)); }
window.addEventListener("resize", refresh);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);

readColours();
arrange();
const wanted = decodeURIComponent(location.hash.slice(1)), named = page.scenes.findIndex((s) => s.name === wanted);
open(named >= 0 ? named : order[0]);
