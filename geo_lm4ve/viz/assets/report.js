/* Point clouds on the canvases of turntable.js, near points last. */
const HOME = { azimuth: -55, elevation: 25 };
const LEVELS = 24; /* steps of the depth colour scale */
const COVERED = 0.2; /* a point this far behind the nearest one in its cell counts as hidden */

function decode(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true) / 32767);
}

function mix(first, second, share) {
  const parse = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const [a, b] = [parse(first), parse(second)];
  return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * share)).join(" ")})`;
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const [far, middle, near] = [colour("--far"), colour("--middle"), colour("--near")];
  const shades = Array.from({ length: LEVELS }, (_, i) => (2 * i) / (LEVELS - 1));
  return [colour("--covered"), ...shades.map((share) => (share < 1 ? mix(far, middle, share) : mix(middle, near, share - 1)))];
}

class Viewer extends Turntable {
  constructor(canvas, points, wheel) {
    super(canvas, HOME, wheel);
    this.points = points;
  }

  camera() {
    const { points } = this, axes = this.directions();
    const along = ([a, b, c]) => Float32Array.from({ length: points.length / 3 },
      (_, i) => a * points[3 * i] + b * points[3 * i + 1] + c * points[3 * i + 2]);
    const [x, y, depth] = axes.map(along);
    return { x, y, depth };
  }

  /* Level 0: hidden behind another point; 1..LEVELS: far to near. */
  levels({ x, y, depth }) {
    const cells = Math.max(1, Math.floor(Math.sqrt(depth.length / 4)));
    const place = (value) => Math.max(0, Math.min(cells - 1, Math.floor(((value + 1) / 2) * cells)));
    const front = new Float32Array(cells * cells).fill(-Infinity);
    const cell = Int32Array.from(depth, (_, i) => place(y[i]) * cells + place(x[i]));
    depth.forEach((value, i) => { front[cell[i]] = Math.max(front[cell[i]], value); });
    return Uint8Array.from(depth, (value, i) =>
      value < front[cell[i]] - COVERED ? 0 : 1 + Math.max(0, Math.min(LEVELS - 1, Math.floor(((value + 1) / 2) * LEVELS))));
  }

  draw() {
    const { canvas } = this;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!side) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    const seen = this.camera();
    const level = this.levels(seen);
    const [across, down] = [this.x, this.y].map((moved) => side / 2 + moved * devicePixelRatio);
    const scale = 0.47 * side * this.zoom;
    const radius = Math.max(0.9, Math.min(0.022 * side, (0.36 * side) / Math.sqrt(level.length))) * Math.sqrt(this.zoom);
    context.clearRect(0, 0, side, side);
    palette().forEach((colour, wanted) => {
      context.beginPath();
      for (let i = 0; i < level.length; i++) {
        if (level[i] !== wanted) continue;
        const [x, y] = [across + scale * seen.x[i], down - scale * seen.y[i]];
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 2 * Math.PI);
      }
      context.fillStyle = colour;
      context.fill();
    });
  }
}

function enlarge(node) {
  const dialog = document.getElementById("large");
  dialog.querySelector(".stage").replaceChildren(node);
  dialog.showModal();
}

function enlargeCloud(small) {
  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  enlarge(canvas);
  const viewer = new Viewer(canvas, small.points, true);
  Object.assign(viewer, { azimuth: small.azimuth, elevation: small.elevation });
}

function filterCards(toolbar) {
  const wanted = toolbar.querySelector("[aria-pressed=true]").dataset.show;
  const text = toolbar.querySelector("input").value.trim().toLowerCase();
  for (const card of document.querySelectorAll(".card")) {
    const kind = wanted === "all" || card.classList.contains(wanted);
    card.hidden = !(kind && card.dataset.search.includes(text));
  }
}

for (const canvas of document.querySelectorAll("canvas[data-points]")) {
  const viewer = new Viewer(canvas, decode(canvas.dataset.points));
  canvas.parentElement.querySelector(".enlarge").addEventListener("click", () => enlargeCloud(viewer));
}
for (const button of document.querySelectorAll("figure button")) {
  button.addEventListener("click", () => enlarge(button.querySelector("img").cloneNode()));
}
for (const toolbar of document.querySelectorAll(".toolbar")) {
  toolbar.hidden = false;
  toolbar.addEventListener("input", () => filterCards(toolbar));
  for (const button of toolbar.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      toolbar.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      filterCards(toolbar);
    });
  }
}
const dialog = document.getElementById("large");
dialog.addEventListener("click", (event) => (event.target === dialog || event.target.className === "close") && dialog.close());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
  document.querySelectorAll("canvas").forEach((canvas) => canvas.viewer.request()));
