/* Scans to turn (turntable.js) with what was asked about them (listing.js). */
const { scans, rows } = JSON.parse(document.getElementById("rooms-data").textContent);
const part = (id) => document.getElementById(id);
const HOME = { azimuth: -55, elevation: 42 };
const FRONT = 0.1; /* as in geo_lm4ve/indoor/viz/cloud.py: points seen from behind or edge-on are left out */
const EDGES = [...Array(8).keys()].flatMap((k) => [1, 2, 4].filter((bit) => !(k & bit)).map((bit) => [k, k | bit]));
const RAMP = [[251, 213, 217], [247, 104, 161], [174, 1, 126], [73, 0, 106]];

/* ---- scans: geo_lm4ve/indoor/viz/encoding.py says how their points are packed ---- */
function decode({ low, size, points }) {
  const bytes = Uint8Array.from(atob(points), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer), count = bytes.length / 10;
  const made = {
    count, places: new Float32Array(3 * count), normals: new Float32Array(3 * count), colors: new Uint8Array(3 * count),
    sizes: new Uint8Array(count),
  };
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < 3; axis++) made.places[3 * i + axis] = low[axis] + (size[axis] * view.getUint16(10 * i + 2 * axis, true)) / 65535;
    const rgb = view.getUint16(10 * i + 6, true), normal = view.getUint16(10 * i + 8, true);
    const three = (packed) => [10, 5, 0].map((shift) => (packed >> shift) & 31);
    made.sizes[i] = ((rgb >> 15) << 1) | (normal >> 15);
    made.colors.set(three(rgb).map((value) => (value * 255) / 31), 3 * i);
    made.normals.set(three(normal).map((value) => value / 15 - 1), 3 * i);
  }
  return made;
}
const decoded = new Map();
function cloud(index) {
  if (!decoded.has(index)) decoded.set(index, decode(scans[index]));
  return decoded.get(index);
}
function corners([x, y, z, ...size]) {
  const [dx, dy, dz] = size.map((side) => Math.abs(side));
  return [...Array(8).keys()].map((k) => [x + ((k & 1) - 0.5) * dx, y + (((k >> 1) & 1) - 0.5) * dy, z + ((k >> 2) - 0.5) * dz]);
}
function heat(value) {
  const place = value * (RAMP.length - 1), low = Math.min(Math.floor(place), RAMP.length - 2), t = place - low;
  return `rgb(${RAMP[low].map((c, i) => Math.round(c + (RAMP[low + 1][i] - c) * t)).join(" ")})`;
}

class RoomView extends Turntable {
  constructor(canvas) {
    super(canvas, HOME, true);
    Object.assign(this, { scan: null, row: null, tokens: null });
    canvas.addEventListener("keydown", (event) => { if (event.key === "t") this.above(); });
  }

  show(scan, row) {
    if (scan !== this.scan) this.reset();
    Object.assign(this, { scan, row });
    this.request();
  }

  above() {
    Object.assign(this, this.home, { azimuth: -90, elevation: 90 });
    this.request();
  }

  /* Pixels of the canvas per metre at zoom 1: the box round the scan fits from the first direction and from above. */
  fit(width, height) {
    const { size } = scans[this.scan], [az, el] = [this.home.azimuth, this.home.elevation].map((degrees) => (degrees * Math.PI) / 180);
    const across = Math.max(size[0], Math.abs(Math.sin(az)) * size[0] + Math.abs(Math.cos(az)) * size[1]);
    const oblique = (Math.abs(Math.cos(az)) * size[0] + Math.abs(Math.sin(az)) * size[1]) * Math.sin(el) + size[2] * Math.cos(el);
    return 0.92 * Math.min(width / (across + 0.2), height / (Math.max(size[1], oblique) + 0.2));
  }

  draw() {
    const { canvas } = this, ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * ratio));
    if (!width || !height || this.scan === null) return;
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      this.image = canvas.getContext("2d").createImageData(width, height);
      this.depth = new Float32Array(width * height);
    }
    const { low, size } = scans[this.scan], axes = this.directions(), scale = this.fit(width, height) * this.zoom;
    const middle = size.map((side, axis) => low[axis] + side / 2), dot3 = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const camera = {
      axes, scale, width, height, ratio,
      across: width / 2 + this.x * ratio - scale * dot3(axes[0], middle),
      down: height / 2 + this.y * ratio + scale * dot3(axes[1], middle),
    };
    camera.seen = (point) => [camera.across + scale * dot3(axes[0], point), camera.down - scale * dot3(axes[1], point)];
    this.drawPoints(camera);
    this.drawMarks(canvas.getContext("2d"), camera);
  }

  /* Every point is a square of its colour; the nearest to the viewer wins a pixel. */
  drawPoints({ axes, scale, width, height, across, down }) {
    const { places, normals, colors, sizes, count } = cloud(this.scan), pixels = this.image.data;
    const [[rx, ry, rz], [ux, uy, uz], [tx, ty, tz]] = axes;
    const widths = scans[this.scan].sides; /* a wide dot counts as farther away, or a coarse wall would cover what hangs on it */
    const sides = widths.map((metres) => Math.max(1, Math.min(60, Math.ceil(metres * scale))));
    pixels.fill(0);
    this.depth.fill(-Infinity);
    for (let i = 0, j = 0; i < count; i++, j += 3) {
      const [nx, ny, nz] = [normals[j], normals[j + 1], normals[j + 2]], facing = nx * tx + ny * ty + nz * tz;
      const known = nx || ny || nz;
      if (known && facing < FRONT) continue;
      const [x, y, z] = [places[j], places[j + 1], places[j + 2]], side = sides[sizes[i]], half = side >> 1;
      const left = Math.round(across + scale * (rx * x + ry * y + rz * z)) - half;
      const top = Math.round(down - scale * (ux * x + uy * y + uz * z)) - half;
      if (left + side <= 0 || top + side <= 0 || left >= width || top >= height) continue;
      const near = tx * x + ty * y + tz * z - widths[sizes[i]], light = known ? 0.72 + 0.28 * facing : 1;
      const [right, bottom] = [Math.min(left + side, width), Math.min(top + side, height)];
      for (let row = Math.max(top, 0); row < bottom; row++) {
        for (let place = row * width + Math.max(left, 0), end = row * width + right; place < end; place++) {
          if (near <= this.depth[place]) continue;
          this.depth[place] = near;
          const at = 4 * place;
          pixels[at] = colors[j] * light;
          pixels[at + 1] = colors[j + 1] * light;
          pixels[at + 2] = colors[j + 2] * light;
          pixels[at + 3] = 255;
        }
      }
    }
    this.canvas.getContext("2d").putImageData(this.image, 0, 0);
  }

  drawMarks(context, { seen, ratio }) {
    if (!this.row) return;
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    const { box, truth, arrow, tokens } = this.row;
    context.lineJoin = context.lineCap = "round";
    const edges = (values, paint, dashes) => {
      const places = corners(values).map(seen);
      for (const [width, shade] of [[6, colour("--halo")], [3, paint]]) {
        context.beginPath();
        context.setLineDash(dashes.map((length) => length * ratio));
        for (const [a, b] of EDGES) { context.moveTo(...places[a]); context.lineTo(...places[b]); }
        Object.assign(context, { strokeStyle: shade, lineWidth: width * ratio, globalAlpha: width > 3 ? 0.65 : 1 });
        context.stroke();
      }
      context.setLineDash([]);
    };
    if (tokens && this.tokens !== null) {
      const order = [...tokens].sort((a, b) => a[3 + this.tokens] - b[3 + this.tokens]);
      for (const token of order) {
        const value = token[3 + this.tokens];
        context.beginPath();
        context.arc(...seen(token), (3.5 + 5.5 * value) * ratio, 0, 2 * Math.PI);
        Object.assign(context, { fillStyle: heat(value), strokeStyle: colour("--halo"), lineWidth: ratio });
        context.fill();
        context.stroke();
      }
    }
    if (box) edges(box, colour("--predicted"), []);
    if (truth) edges(truth, colour("--truth"), [10, 7]);
    if (arrow) {
      context.beginPath();
      for (let k = 0; k < arrow.length; k += 3) context.lineTo(...seen(arrow.slice(k, k + 3)));
      context.closePath();
      Object.assign(context, { fillStyle: colour("--asker"), strokeStyle: colour("--halo"), lineWidth: 2 * ratio });
      context.fill();
      context.stroke();
    }
  }
}

/* ---- the page ---- */
const view = new RoomView(part("view"));
const kindOf = ({ right }) => (right === undefined ? "unknown" : right ? "right" : "wrong");
const first = ({ said }) => (said.length ? said[0][0] || "(empty)" : "no answer");
rows.forEach((row) => {
  const words = [row.id, scans[row.scan].name, row.question, row.situation ?? "", ...row.said.map(([answer]) => answer), ...row.references];
  row.text = words.join("\n").toLowerCase();
});

function card(row) {
  const made = element("button", "", kindOf(row));
  made.type = "button";
  made.row = row;
  made.setAttribute("aria-current", String(row === view.row));
  made.append(element("span", row.question, "question"), element("span", first(row), "first"));
  made.addEventListener("click", () => open(row));
  return made;
}
const list = listing(rows, card, (row) => !part("scan").value || row.scan === Number(part("scan").value));

function open(row) {
  view.show(row.scan, row);
  for (const button of part("listing").children) button.setAttribute("aria-current", String(button.row === row));
  history.replaceState(null, "", "#" + encodeURIComponent(row.id));
  answer(row);
  marks();
}
function answer(row) {
  const where = [scans[row.scan].name, row.id, row.kind, row.iou === undefined ? "" : `IoU ${row.iou.toFixed(2)}`].filter(Boolean);
  const said = element("ul", "", "bars"), right = element("p", "", "references");
  row.said.forEach(([text, share], place) => said.append(bar(text || "(empty)", share, place ? "" : "first")));
  if (!row.said.length) said.append(element("li", "no answer", "first"));
  if (row.references.length) right.append(element("b", "right: "), row.references.join(" · "));
  part("answer").className = kindOf(row);
  part("answer").replaceChildren(
    element("p", where.join(" · "), "where"), ...(row.situation ? [element("p", row.situation)] : []), element("h2", row.question), said, right,
  );
}
function bar(text, share, style) {
  const made = element("li", ""), track = element("span", "", "bar"), fill = element("i", "");
  fill.style.width = `${100 * share}%`;
  track.append(fill);
  made.append(element("span", text, style), track, element("span", `${Math.round(100 * share)} %`, "share"));
  return made;
}
/* Which entries the key has, and which token buttons there are. */
function marks() {
  for (const entry of part("key").children) {
    const mark = entry.dataset.mark;
    entry.hidden = !view.row?.[mark] || (mark === "tokens" && view.tokens === null);
  }
  part("key").hidden = [...part("key").children].every((entry) => entry.hidden);
  for (const button of tokenButtons) button.hidden = !view.row?.tokens;
}
function neighbour(by) {
  if (!list.shown.length) return;
  const place = list.shown.indexOf(view.row), next = place < 0 ? 0 : (place + by + list.shown.length) % list.shown.length;
  while (list.drawn <= next) list.draw();
  open(list.shown[next]);
  part("listing").children[next].scrollIntoView({ block: "nearest" });
}
function scanOptions() {
  const options = scans.map(({ name }, index) => {
    const asked = rows.filter((row) => row.scan === index), known = asked.filter(({ right }) => right !== undefined);
    const score = known.length ? `, ${known.filter(({ right }) => right).length} right` : "";
    return new Option(`${name} (${asked.length} asked${score})`, String(index));
  });
  part("scan").append(new Option(`all ${scans.length}`, ""), ...options);
}
function showScan() {
  list.filter();
  if (list.shown.length) open(list.shown[0]);
  else bare(Number(part("scan").value));
}
function bare(scan) {
  view.show(scan, null);
  part("answer").replaceChildren();
  marks();
}
const tokenButtons = ["before", "after"].map((name, place) => {
  const button = element("button", `tokens ${name}`);
  button.type = "button";
  button.title = `how far each proposal's token stands out ${name} the block`;
  button.addEventListener("click", () => {
    view.tokens = view.tokens === place ? null : place;
    tokenButtons.forEach((one, other) => one.setAttribute("aria-pressed", String(view.tokens === other)));
    marks();
    view.request();
  });
  return button;
});
document.querySelector(".tools").prepend(...tokenButtons);
part("above").addEventListener("click", () => view.above());
part("home").addEventListener("click", () => view.reset());
part("scan").addEventListener("change", showScan);
document.addEventListener("keydown", (event) => {
  if (["INPUT", "SELECT"].includes(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "n" || event.key === "p") neighbour(event.key === "n" ? 1 : -1);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view.request());

scanOptions();
list.filter();
const wanted = decodeURIComponent(location.hash.slice(1)), named = rows.find(({ id }) => id && id === wanted);
if (named ?? rows[0]) open(named ?? rows[0]);
else bare(0);
