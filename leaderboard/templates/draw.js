/* Runs an entry's own model, decoded by decoder.js, on what a visitor draws, and on test images. */
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// ---- A drawn digit, as MNIST's makers would have stored it

const SIDE = 28, BOX = 20;
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** Ink (0 to 1, size x size) to 28 x 28: the ink's box scaled into 20 x 20, its centre of mass in the middle. */
function centred(ink, size) {
  let x0 = size, y0 = size, x1 = -1, y1 = -1;
  for (let i = 0; i < ink.length; i++) {
    if (ink[i] < 0.05) continue;
    const x = i % size, y = Math.floor(i / size);
    x0 = Math.min(x0, x); x1 = Math.max(x1, x); y0 = Math.min(y0, y); y1 = Math.max(y1, y);
  }
  const image = new Float32Array(SIDE * SIDE);
  if (x1 < 0) return image;
  const scale = Math.max(x1 - x0 + 1, y1 - y0 + 1) / BOX; // pixels drawn for one of MNIST's
  const width = Math.max(1, Math.round((x1 - x0 + 1) / scale)), height = Math.max(1, Math.round((y1 - y0 + 1) / scale));
  const small = new Float32Array(width * height);
  let mass = 0, across = 0, down = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      small[y * width + x] = mean(ink, size, x0 + x * scale, y0 + y * scale, scale);
      mass += small[y * width + x];
      across += small[y * width + x] * x;
      down += small[y * width + x] * y;
    }
  }
  const left = Math.round(SIDE / 2 - across / mass - 0.5), top = Math.round(SIDE / 2 - down / mass - 0.5);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const tx = x + left, ty = y + top;
      if (tx >= 0 && tx < SIDE && ty >= 0 && ty < SIDE) {
        image[ty * SIDE + tx] = Math.fround(Math.round(small[y * width + x] * 255) / 255);
      }
    }
  }
  return image;
}

/** The mean of the ink in a square, its edges counted by the part of them that is inside. */
function mean(ink, size, left, top, side) {
  let total = 0;
  for (let y = Math.floor(top); y < Math.min(size, top + side); y++) {
    const tall = Math.min(y + 1, top + side) - Math.max(y, top);
    for (let x = Math.floor(left); x < Math.min(size, left + side); x++) {
      total += ink[y * size + x] * tall * (Math.min(x + 1, left + side) - Math.max(x, left));
    }
  }
  return Math.min(1, total / (side * side));
}

function probabilities(logits) {
  const most = Math.max(...logits), powers = [...logits].map((logit) => Math.exp(logit - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

class Desk {
  constructor(section) {
    this.section = section;
    this.model = Featherweight.unpack(bytesOf(section.dataset.artifact));
    this.paper = $(".paper", section);
    this.context = this.paper.getContext("2d", { willReadFrequently: true });
    this.keys = { x: 140, y: 140, down: false };
    for (const hidden of $$("[hidden]", section)) hidden.hidden = false;
    this.listen();
    for (const button of $$(".digit", section)) this.offer(button);
    this.clear();
  }

  listen() {
    const at = (event) => {
      const box = this.paper.getBoundingClientRect(), scale = this.paper.width / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    this.paper.addEventListener("pointerdown", (event) => {
      this.paper.setPointerCapture(event.pointerId);
      this.last = at(event);
      this.stroke(this.last, this.last);
      event.preventDefault();
    });
    this.paper.addEventListener("pointermove", (event) => {
      if (!this.last) return;
      const point = at(event);
      this.stroke(this.last, point);
      this.last = point;
    });
    for (const name of ["pointerup", "pointercancel"]) this.paper.addEventListener(name, () => { this.last = null; });
    this.paper.addEventListener("keydown", (event) => this.key(event));
    $(".clear", this.section).addEventListener("click", () => this.clear());
  }

  key(event) {
    const steps = { ArrowLeft: [-14, 0], ArrowRight: [14, 0], ArrowUp: [0, -14], ArrowDown: [0, 14] };
    const from = [this.keys.x, this.keys.y];
    if (event.key in steps) {
      const [dx, dy] = steps[event.key];
      this.keys.x = Math.max(14, Math.min(266, this.keys.x + dx));
      this.keys.y = Math.max(14, Math.min(266, this.keys.y + dy));
      if (this.keys.down) this.stroke(from, [this.keys.x, this.keys.y]);
    } else if (event.key === " ") {
      this.keys.down = !this.keys.down;
      if (this.keys.down) this.stroke(from, from);
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    const side = (value) => Math.round(value / 2.8);
    $(".pen", this.section).textContent =
      `pen ${this.keys.down ? "down" : "up"}, ${side(this.keys.x)} % across, ${side(this.keys.y)} % down`;
  }

  stroke(from, to) {
    if (this.shown) this.clear();
    const context = this.context;
    context.lineWidth = 22;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = "#000";
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
    this.answer(centred(this.ink(), this.paper.width));
  }

  ink() {
    const { data } = this.context.getImageData(0, 0, this.paper.width, this.paper.height);
    return Float32Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3] / 255);
  }

  clear() {
    this.context.clearRect(0, 0, this.paper.width, this.paper.height);
    this.shown = null;
    this.section.classList.remove("read");
    this.paint($(".small", this.section), new Float32Array(SIDE * SIDE));
    this.say("Draw, or take one of the test images below.", new Array(10).fill(null));
    for (const button of $$(".digit", this.section)) button.setAttribute("aria-pressed", "false");
  }

  /** A test image as a button: a picture of it, which the model is given as it is. */
  offer(button) {
    const pixels = Float32Array.from(bytesOf(button.dataset.pixels), (value) => Math.fround(value / 255));
    const canvas = make("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    this.paint(canvas, pixels);
    button.append(canvas);
    button.addEventListener("click", () => {
      this.clear();
      this.shown = button;
      button.setAttribute("aria-pressed", "true");
      this.context.imageSmoothingEnabled = false;
      this.context.drawImage(canvas, 0, 0, this.paper.width, this.paper.height);
      this.answer(pixels, Number(button.dataset.label));
    });
  }

  paint(canvas, pixels) {
    const context = canvas.getContext("2d", { willReadFrequently: true }), image = context.createImageData(SIDE, SIDE);
    pixels.forEach((value, i) => { image.data[4 * i + 3] = Math.round(255 * value); });
    context.putImageData(image, 0, 0);
  }

  answer(pixels, label) {
    const shares = probabilities(Featherweight.forward(this.model, pixels));
    const best = shares.indexOf(Math.max(...shares));
    const truth = label === undefined ? "" : label === best ? ", and is right" : `, and is wrong: it is a ${label}`;
    this.paint($(".small", this.section), pixels);
    this.section.classList.add("read");
    this.say(`It reads a ${best} (${(100 * shares[best]).toFixed(1)} %)${truth}.`, shares, best);
  }

  say(text, shares, best) {
    $(".verdict", this.section).textContent = text;
    $$(".bars li", this.section).forEach((item, digit) => {
      const share = shares[digit];
      item.classList.toggle("best", digit === best);
      $("i", item).style.width = `${100 * (share || 0)}%`;
      $(".percent", item).textContent = share === null ? "" : `${(100 * share).toFixed(1)} %`;
    });
  }
}

for (const section of $$(".draw[data-artifact]")) new Desk(section);
