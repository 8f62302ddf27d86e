"use strict";
/* Runs the script of a page in a document that is only just enough for it, then a few lines that ask about it.
   node page_run.js PAGE LINES: prints what the lines evaluate to as JSON. */
const fs = require("fs"), vm = require("vm");

class Fake {
  constructor(name = "div") { Object.assign(this, { name, children: [], listeners: {}, dataset: {}, style: {}, attributes: {}, value: "", textContent: "", hidden: false }); }
  append(...nodes) { this.children.push(...nodes); }
  prepend(...nodes) { this.children.unshift(...nodes); }
  replaceChildren(...nodes) { this.children = nodes; }
  addEventListener(kind, listener) { (this.listeners[kind] ??= []).push(listener); }
  fire(kind, event = {}) { for (const listener of this.listeners[kind] ?? []) listener({ preventDefault() {}, target: this, ...event }); }
  setAttribute(name, value) { this.attributes[name] = value; }
  setPointerCapture() {}
  scrollIntoView() {}
  querySelectorAll(selector) { return selector === "button" ? this.buttons : []; }
  set innerHTML(text) { throw new Error(`markup from data: ${text}`); }
}

const page = fs.readFileSync(process.argv[2], "utf8");
const made = new Map();
const one = (key) => { if (!made.has(key)) made.set(key, new Fake()); return made.get(key); };
one("rooms-data").textContent = page.match(/id="rooms-data">(.*?)<\/script>/s)[1];
one(".listing-bar").buttons = ["", "wrong", "right"].map((kind) => Object.assign(new Fake("button"), { dataset: { kind } }));
one("key").children = ["box", "truth", "arrow", "tokens"].map((mark) => Object.assign(new Fake("li"), { dataset: { mark } }));
const document = Object.assign(new Fake(), {
  getElementById: one, querySelector: one, createElement: (name) => new Fake(name), documentElement: new Fake(),
});
const sandbox = vm.createContext({
  document, atob, Option: function Option(text, value) { return Object.assign(new Fake("option"), { textContent: text, value }); },
  ResizeObserver: class { observe() {} }, requestAnimationFrame: () => 1, matchMedia: () => new Fake(), devicePixelRatio: 1,
  history: { replaceState() {} }, location: { hash: process.argv[4] ?? "" }, one,
});
const script = page.match(/<script>\n(.*)<\/script>/s)[1];
process.stdout.write(JSON.stringify(vm.runInContext(`${script}\n${process.argv[3]}`, sandbox)));
