"use strict";
// Oriented boxes drawn on a picture, by mouse, finger or keyboard.
//
//   <svg class="draw" data-field="boxes" data-most="200" data-metres="10" viewBox="0 0 W H" tabindex="0"><image .../></svg>
//   <input type="hidden" name="boxes" value="[]">
//
// data-look="LEFT TOP RIGHT BOTTOM" is what its scrolled view shows first.
//
// The hidden field holds [{"box": [[x, y] * 4], "class": "barge"}, ...] in units of the viewBox; of each box the first two
// corners are its bow. Boxes that it holds at the start are shown, and with data-most="1" the one there is corrected.
// Of the form around it: buttons [data-draw=new|undo|delete|turn-left|turn-right|longer|shorter|wider|narrower|in|out],
// [data-draw-class=NAME], an element [data-draw-status] that says what was done, and buttons [data-draw-needs=some|none]
// that can be pressed only with or without boxes.
(() => {
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const CLASSES = ["barge", "bulk_carrier", "other_vessel", "cannot_tell"];
  const WORDS = { barge: "barge", bulk_carrier: "bulk carrier", other_vessel: "other vessel", cannot_tell: "cannot tell" };
  const SLIMNESS = 6; // length over width of a new box
  const LEAST = 1; // units: one pixel
  const [LONGEST_M, BROADEST_M] = [450, 120];
  const UNDOS = 500;
  const OUT_PX = 12; // how far beside a box its handle for the width lies, on the screen

  const made = (name, attributes) => {
    const element = document.createElementNS(NAMESPACE, name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  };
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const round = (value) => Math.round(value * 100) / 100;

  // A box: its middle x, y, its length and width, where its bow points (radians from +x toward +y), and its class.
  const corners = (b) => {
    const [c, s] = [Math.cos(b.angle), Math.sin(b.angle)];
    const at = (along, across) => [round(b.x + c * along * b.length - s * across * b.width), round(b.y + s * along * b.length + c * across * b.width)];
    return [at(0.5, -0.5), at(0.5, 0.5), at(-0.5, 0.5), at(-0.5, -0.5)];
  };
  const fromCorners = (points, kind) => {
    const side = (i, j) => Math.hypot(points[j][0] - points[i][0], points[j][1] - points[i][1]);
    const turned = side(0, 1) > side(1, 2); // the first side is the long one: the bow lies at its end
    const p = turned ? [points[1], points[2], points[3], points[0]] : points;
    const middle = (i, j) => [(p[i][0] + p[j][0]) / 2, (p[i][1] + p[j][1]) / 2];
    const [bow, stern] = [middle(0, 1), middle(2, 3)];
    return {
      x: (bow[0] + stern[0]) / 2, y: (bow[1] + stern[1]) / 2, length: Math.hypot(bow[0] - stern[0], bow[1] - stern[1]),
      width: Math.hypot(p[1][0] - p[0][0], p[1][1] - p[0][1]), angle: Math.atan2(bow[1] - stern[1], bow[0] - stern[0]), class: kind,
    };
  };
  const holds = (b, x, y, margin) => {
    const [c, s, dx, dy] = [Math.cos(b.angle), Math.sin(b.angle), x - b.x, y - b.y];
    return Math.abs(dx * c + dy * s) <= b.length / 2 + margin && Math.abs(dy * c - dx * s) <= b.width / 2 + margin;
  };

  const start = (svg) => {
    const area = svg.closest("form") || document;
    const field = area.querySelector(`input[type="hidden"][name="${CSS.escape(svg.dataset.field)}"]`);
    const status = area.querySelector("[data-draw-status]");
    const most = Number(svg.dataset.most || 200);
    const metres = Number(svg.dataset.metres || 10);
    const { width: W, height: H } = svg.viewBox.baseVal;
    const clear = svg.dataset.look ? svg.dataset.look.split(" ").map(Number) : null; // where to look first: [x0, y0, x1, y1]
    const layer = svg.appendChild(made("g", { class: "boxes" }));
    let boxes = [];
    let chosen = -1;
    let kind = svg.dataset.class || "cannot_tell"; // of the next box
    let cursor = null; // where the pointer is
    let drag = null;
    let pan = null; // two fingers move the picture in its view
    const view = svg.closest(".draw-view");
    const past = [];

    const box = () => boxes[chosen];
    const say = (words) => { if (status) status.textContent = words; };
    const told = () => {
      const n = boxes.length;
      const all = most === 1 ? "" : `${n} box${n === 1 ? "" : "es"}. `;
      if (!box()) return all || "No box chosen.";
      return `${all}Box ${chosen + 1}: ${WORDS[box().class] || box().class}, ${Math.round(box().length * metres)} m long, ${Math.round(box().width * metres)} m wide.`;
    };
    const scale = () => (svg.getBoundingClientRect().width || W) / W;

    const render = () => {
      layer.replaceChildren();
      const unit = 1 / scale();
      boxes.forEach((b, i) => {
        const points = corners(b);
        const own = made("g", { class: `box ${b.class}${i === chosen ? " chosen" : ""}` });
        own.append(made("polygon", { class: "rim", points: points.join(" ") }), made("polygon", { class: "hull", points: points.join(" ") }));
        const [bow, stern] = [[(points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2], [(points[2][0] + points[3][0]) / 2, (points[2][1] + points[3][1]) / 2]];
        own.append(made("line", { class: "axis", x1: b.x, y1: b.y, x2: bow[0], y2: bow[1] }));
        const name = made("text", { x: bow[0] + 7 * unit * Math.cos(b.angle), y: bow[1] + 7 * unit * Math.sin(b.angle) + 4 * unit, "font-size": 13 * unit, "text-anchor": "middle" });
        name.textContent = String(CLASSES.indexOf(b.class) + 1 || "");
        own.append(name);
        if (i === chosen) {
          const out = b.width / 2 + OUT_PX * unit; // beside the box, so that the hull is seen
          const side = [b.x - Math.sin(b.angle) * out, b.y + Math.cos(b.angle) * out];
          [["bow", bow], ["stern", stern], ["side", side]].forEach(([what, [x, y]]) => own.append(made("circle", { class: "handle", "data-handle": what, cx: x, cy: y, r: 6 * unit })));
        }
        layer.append(own);
      });
      area.querySelectorAll("[data-draw-needs]").forEach((button) => { button.disabled = (button.dataset.drawNeeds === "some") !== boxes.length > 0; });
      const now = box() ? box().class : kind;
      area.querySelectorAll("[data-draw-class]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.drawClass === now)));
    };
    const write = () => {
      field.value = JSON.stringify(boxes.map((b) => ({ box: corners(b), class: b.class })));
      field.dispatchEvent(new Event("input", { bubbles: true }));
      render();
      say(told());
    };
    const keep = () => { past.push(JSON.stringify([boxes, chosen])); if (past.length > UNDOS) past.shift(); };
    const fit = (b) => {
      b.length = clamp(b.length, LEAST, LONGEST_M / metres);
      b.width = clamp(b.width, Math.min(0.3, b.length), Math.min(b.length, BROADEST_M / metres));
      // Inside the picture: no longer than it is in that direction, then moved in.
      const reach = () => [(Math.abs(Math.cos(b.angle)) * b.length + Math.abs(Math.sin(b.angle)) * b.width) / 2, (Math.abs(Math.sin(b.angle)) * b.length + Math.abs(Math.cos(b.angle)) * b.width) / 2];
      let [rx, ry] = reach();
      const over = Math.max((2 * rx) / W, (2 * ry) / H);
      if (over > 1) { b.length /= over; b.width /= over; [rx, ry] = reach(); }
      b.x = clamp(b.x, rx, W - rx);
      b.y = clamp(b.y, ry, H - ry);
      return b;
    };
    const change = (what) => { if (!box()) return say("Choose a box first, or press n for a new one."); keep(); what(box()); fit(box()); write(); };
    const add = (b) => {
      if (most > 1 && boxes.length >= most) return say(`${most} boxes at most.`);
      keep();
      if (most === 1) boxes = [];
      boxes.push(fit(b));
      chosen = boxes.length - 1;
      write();
    };
    const choose = (index) => { chosen = index; render(); say(told()); };
    const middle = () => {
      if (cursor) return cursor;
      // The middle of what can be seen of the picture.
      const [own, frame] = [svg, view || svg].map((element) => element.getBoundingClientRect());
      const between = (low, high, most) => (Math.max(own[low], frame[low], 0) + Math.min(own[high], frame[high], most)) / 2;
      const [x, y] = place(between("left", "right", innerWidth), between("top", "bottom", innerHeight));
      const inside = clear && x > clear[0] && x < clear[2] && y > clear[1] && y < clear[3];
      return inside || !clear ? [x, y] : [(clear[0] + clear[2]) / 2, (clear[1] + clear[3]) / 2];
    };
    const place = (clientX, clientY) => {
      const p = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
      return [clamp(p.x, 0, W), clamp(p.y, 0, H)];
    };

    const setKind = (name) => { kind = name; if (box()) change((b) => { b.class = name; }); else { render(); say(`The next box is a ${WORDS[name] || name}.`); } };
    const zoom = (factor) => {
      const wide = clamp(Math.round(scale() * factor * 2) / 2, 1, 12);
      svg.setAttribute("width", W * wide);
      svg.setAttribute("height", H * wide);
      render();
      say(`Enlarged ${wide} times.`);
    };
    const TURN = Math.PI / 36;
    const acts = {
      new: () => { const [x, y] = middle(); add({ x, y, length: 8, width: 8 / SLIMNESS, angle: -Math.PI / 2, class: kind }); },
      undo: () => {
        if (!past.length) return say("Nothing to undo.");
        [boxes, chosen] = JSON.parse(past.pop());
        write();
      },
      delete: () => { if (!box()) return say("Choose a box first."); keep(); boxes.splice(chosen, 1); chosen = Math.min(chosen, boxes.length - 1); write(); },
      "turn-left": () => change((b) => { b.angle -= TURN; }),
      "turn-right": () => change((b) => { b.angle += TURN; }),
      longer: () => change((b) => { b.length += 1; }),
      shorter: () => change((b) => { b.length -= 1; }),
      wider: () => change((b) => { b.width += 0.5; }),
      narrower: () => change((b) => { b.width -= 0.5; }),
      in: () => zoom(1.5),
      out: () => zoom(1 / 1.5),
      next: () => boxes.length && choose((chosen + 1) % boxes.length),
      before: () => boxes.length && choose((chosen + boxes.length - (chosen < 0 ? 0 : 1)) % boxes.length),
    };
    const move = (dx, dy) => change((b) => { b.x += dx; b.y += dy; });
    const KEYS = {
      n: acts.new, u: acts.undo, Delete: acts.delete, Backspace: acts.delete, "[": acts["turn-left"], "]": acts["turn-right"],
      "{": acts.narrower, "}": acts.wider, ".": acts.next, ",": acts.before, "+": acts.in, "=": acts.in, "-": acts.out,
      Escape: () => choose(-1), ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0), ArrowUp: () => move(0, -1), ArrowDown: () => move(0, 1),
    };
    svg.addEventListener("keydown", (event) => {
      if (event.altKey || event.metaKey) return;
      let act = KEYS[event.key];
      if (event.ctrlKey) act = event.key === "z" ? acts.undo : null;
      else if (event.shiftKey && event.key.startsWith("Arrow")) act = /Up|Right/.test(event.key) ? acts.longer : acts.shorter;
      else if (/^[1-4]$/.test(event.key)) act = () => setKind(CLASSES[Number(event.key) - 1]);
      if (!act) return;
      event.preventDefault();
      event.stopPropagation(); // the keys of the page mean something else
      act();
    });

    svg.addEventListener("pointermove", (event) => {
      if (pan) {
        if (event.pointerId !== pan.pointer) return;
        view.scrollBy(pan.x - event.clientX, pan.y - event.clientY);
        pan = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
        return;
      }
      cursor = place(event.clientX, event.clientY);
      if (!drag || event.pointerId !== drag.pointer) return;
      const [x, y] = cursor;
      if (!drag.kept) {
        if (Math.hypot(x - drag.from[0], y - drag.from[1]) * scale() < 3) return;
        if (drag.what === "new") {
          if (most > 1 && boxes.length >= most) { drag = null; say(`${most} boxes at most.`); return; }
          keep();
          if (most === 1) boxes = [];
          boxes.push({ x, y, length: LEAST, width: LEAST, angle: 0, class: kind });
          chosen = boxes.length - 1;
        } else keep();
        drag.kept = true;
      }
      const b = box();
      if (drag.what === "move") {
        b.x = drag.start.x + x - drag.from[0];
        b.y = drag.start.y + y - drag.from[1];
      } else if (drag.what === "side") {
        b.width = 2 * Math.max((y - b.y) * Math.cos(b.angle) - (x - b.x) * Math.sin(b.angle) - OUT_PX / scale(), 0);
      } else { // one end follows the pointer, the other stays
        const bow = drag.what === "bow" ? [x, y] : drag.fixed;
        const stern = drag.what === "bow" ? drag.fixed : [x, y];
        Object.assign(b, { x: (bow[0] + stern[0]) / 2, y: (bow[1] + stern[1]) / 2, length: Math.hypot(bow[0] - stern[0], bow[1] - stern[1]), angle: Math.atan2(bow[1] - stern[1], bow[0] - stern[0]) });
        if (drag.what === "new") b.width = Math.max(b.length / SLIMNESS, LEAST);
      }
      fit(b);
      render();
    });
    svg.addEventListener("pointerleave", () => { if (!drag) cursor = null; });
    svg.addEventListener("pointerdown", (event) => {
      if (drag && event.pointerType === "touch" && view && !pan) {
        const started = drag.kept;
        drag = null;
        pan = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
        if (started) acts.undo();
        return;
      }
      if (event.button || drag || pan) return;
      svg.focus({ preventScroll: true });
      event.preventDefault();
      const from = place(event.clientX, event.clientY);
      const handle = event.target.dataset ? event.target.dataset.handle : null;
      const under = boxes.map((b, i) => i).filter((i) => holds(boxes[i], ...from, 2 / scale()));
      const own = handle ? chosen : under.includes(chosen) ? chosen : under.length ? under[under.length - 1] : -1;
      drag = { what: handle || (own >= 0 ? "move" : "new"), from, pointer: event.pointerId, kept: false, fixed: from };
      choose(own);
      if (box()) {
        const b = box();
        drag.start = { ...b };
        const far = handle === "bow" ? -0.5 : 0.5;
        if (handle === "bow" || handle === "stern") drag.fixed = [b.x + Math.cos(b.angle) * far * b.length, b.y + Math.sin(b.angle) * far * b.length];
      }
      svg.setPointerCapture(event.pointerId);
    });
    const end = (event) => {
      if (pan && event.pointerId === pan.pointer) pan = null;
      if (!drag || event.pointerId !== drag.pointer) return;
      const changed = drag.kept;
      drag = null;
      if (changed) write();
    };
    svg.addEventListener("pointerup", end);
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("wheel", (event) => { // over the chosen box: its width
      const [x, y] = place(event.clientX, event.clientY);
      if (!box() || !holds(box(), x, y, 2 / scale())) return;
      event.preventDefault();
      (event.deltaY < 0 ? acts.wider : acts.narrower)();
    }, { passive: false });

    area.querySelectorAll("[data-draw]").forEach((button) => button.addEventListener("click", () => { cursor = null; acts[button.dataset.draw](); svg.focus({ preventScroll: true }); }));
    area.querySelectorAll("[data-draw-class]").forEach((button) => button.addEventListener("click", () => { setKind(button.dataset.drawClass); svg.focus({ preventScroll: true }); }));
    addEventListener("resize", render);

    if (view && matchMedia("(pointer: coarse)").matches && svg.getBoundingClientRect().width > view.clientWidth) {
      svg.setAttribute("width", view.clientWidth);
      svg.setAttribute("height", (view.clientWidth * H) / W);
    }
    if (view && clear) {
      const seen = scale();
      view.scrollLeft = ((clear[0] + clear[2]) / 2) * seen - view.clientWidth / 2;
      view.scrollTop = ((clear[1] + clear[3]) / 2) * seen - view.clientHeight / 2;
    }
    boxes = JSON.parse(field.value || "[]").map((one) => fromCorners(one.box, one.class || kind));
    chosen = most === 1 && boxes.length ? 0 : -1;
    render();
  };
  document.querySelectorAll("svg.draw").forEach(start);
})();
