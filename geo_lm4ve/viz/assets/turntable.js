"use strict";
/* An orthographic camera on a canvas, z up: turned, moved and zoomed with mouse, fingers or keys. It looks as
   geo_lm4ve/viz/projection.py does. Whoever derives from it draws. */
class Turntable {
  /* home: { azimuth, elevation } in degrees; wheel: whether the wheel zooms here instead of scrolling the page. */
  constructor(canvas, home, wheel = false) {
    Object.assign(this, { canvas, home: { ...home, zoom: 1, x: 0, y: 0 }, fingers: new Map() });
    Object.assign(this, this.home);
    canvas.viewer = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, event);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", () => this.reset());
    canvas.addEventListener("keydown", (event) => this.key(event));
    if (wheel) {
      canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        this.scale(Math.exp(-event.deltaY / 500));
      }, { passive: false });
    }
    new ResizeObserver(() => this.request()).observe(canvas);
  }

  /* One finger turns; two, the right button or shift move; two fingers zoom as well. */
  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const [right, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
    const other = [...this.fingers.values()].find((one) => one.pointerId !== event.pointerId);
    this.fingers.set(event.pointerId, event);
    if (other) {
      const far = (one) => Math.max(Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY), 1);
      this.scale(far(event) / far(before));
      this.shift(right / 2, down / 2);
    } else if (event.buttons & 2 || event.shiftKey) this.shift(right, down);
    else this.turn(-right / 2, down / 2);
  }

  turn(azimuth, elevation) {
    this.azimuth += azimuth;
    this.elevation = Math.max(-90, Math.min(90, this.elevation + elevation));
    this.request();
  }

  /* By pixels of the page. */
  shift(right, down) {
    this.x += right;
    this.y += down;
    this.request();
  }

  scale(factor) {
    const zoom = Math.max(0.5, Math.min(12, this.zoom * factor));
    this.x *= zoom / this.zoom;
    this.y *= zoom / this.zoom;
    this.zoom = zoom;
    this.request();
  }

  reset() {
    Object.assign(this, this.home);
    this.request();
  }

  key(event) {
    const actions = {
      ArrowLeft: () => this.turn(10, 0), ArrowRight: () => this.turn(-10, 0),
      ArrowUp: () => this.turn(0, 10), ArrowDown: () => this.turn(0, -10),
      "+": () => this.scale(1.2), "-": () => this.scale(1 / 1.2), 0: () => this.reset(),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions[event.key]();
  }

  request() {
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.draw(); });
  }

  /* Directions in space that are right, up and towards the viewer in the picture. */
  directions() {
    const [az, el] = [this.azimuth, this.elevation].map((degrees) => (degrees * Math.PI) / 180);
    const [ca, sa, ce, se] = [Math.cos(az), Math.sin(az), Math.cos(el), Math.sin(el)];
    return [[-sa, ca, 0], [-ca * se, -sa * se, ce], [ca * ce, sa * ce, se]];
  }
}
