// The map of everything over time. Everything is fetched from this desk: no style, font or picture from elsewhere.
import * as maplibregl from "/static/vendor/maplibre/maplibre-gl.mjs";
import { markerImages } from "/static/map-icons.js";

const el = (id) => document.getElementById(id);
const frame = el("map");
const form = el("map-filters");
const [from, to] = [el("from"), el("to")];
const words = (text) => document.createTextNode(text);
const FONT = ["Noto Sans Bold", "DejaVu Sans Bold", "sans-serif"];
const NAMED = ["port", "class", "status"];
const SHALLOWEST = 9; // zoom of the first tiles that are read from scenes
const MOST_LISTED = 30;
const ORDER = ["no_ais_partner", "unseen", "ambiguous", "no_coverage", "not_visible", "matched"];

const json = async (path) => {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.status === 503 ? await answer.text() : `${answer.status}`);
  if (answer.redirected) location.reload(); // the session has ended
  return answer.json();
};
const fail = (text) => { el("map-failed").textContent = text; el("map-failed").hidden = false; };

const start = async () => {
  document.querySelectorAll(".dot").forEach((dot) => { dot.style.backgroundColor = dot.dataset.colour; });
  const setup = await json("/map/setup.json");
  let passes = [];

  // ---- what is asked for
  const chosenPort = () => form.elements.port.value;
  const shown = () => passes.slice(Number(from.value), Number(to.value) + 1);
  const filters = () => {
    const query = new URLSearchParams();
    for (const name of NAMED) if (form.elements[name].value) query.set(name, form.elements[name].value);
    const inside = shown();
    if (inside.length && inside.length < passes.length) {
      query.set("from", inside[0].t);
      query.set("to", inside.at(-1).t);
    }
    return query;
  };
  const fillTimes = (first, last) => {
    passes = setup.passes.map((pass, number) => ({ ...pass, number }));
    if (chosenPort()) passes = passes.filter((pass) => pass.port === chosenPort());
    const most = Math.max(passes.length - 1, 0);
    for (const slider of [from, to]) { slider.max = most; slider.disabled = most === 0; }
    const begin = first ? passes.findIndex((pass) => pass.t >= Number(first)) : 0;
    const end = last ? passes.findLastIndex((pass) => pass.t <= Number(last)) : most;
    from.value = begin < 0 ? 0 : begin;
    to.value = Math.max(end < 0 ? most : end, Number(from.value));
  };
  const sayTimes = () => {
    const inside = shown();
    const several = inside.length === 1 ? "1 overpass" : `${inside.length} of ${passes.length} overpasses`;
    el("window").textContent = inside.length
      ? `${inside[0].when}${inside.length > 1 ? ` to ${inside.at(-1).when}` : ""} (${several}${inside.length === 1 && !inside[0].seen ? ", of which too little was seen" : ""})` : "no overpass";
    for (const slider of [from, to]) slider.setAttribute("aria-valuetext", passes[slider.value]?.when || "");
  };
  fillTimes(frame.dataset.from, frame.dataset.to);

  // ---- the map
  const tilesAt = () => `${location.origin}/map/data/{z}/{x}/{y}.mvt?${filters()}`;
  const colour = () => (form.elements.colour.value === "class" ? ["get", "c"] : "status");
  const icon = () => ["concat", ["get", "s"], "|", colour()];
  const place = frame.dataset.place ? frame.dataset.place.split(",").map(Number) : null;
  const bounds = frame.dataset.bounds ? frame.dataset.bounds.split(",").map(Number) : null;
  const map = new maplibregl.Map({
    container: frame,
    ...(place ? { center: place, zoom: 14 } : bounds ? { bounds, fitBoundsOptions: { padding: 30, maxZoom: 14 } } : {}),
    maxZoom: 17,
    attributionControl: false,
    fadeDuration: 0,
    dragRotate: false,
    pitchWithRotate: false,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // else it prints empty
    style: {
      version: 8,
      sources: {
        ground: { type: "geojson", data: "/map/zones.json" },
        overpass: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
        findings: { type: "vector", tiles: [tilesAt()], maxzoom: 16 },
      },
      layers: [
        { id: "background", type: "background", paint: { "background-color": "#e7ebef" } },
        { id: "land", type: "fill", source: "ground", filter: ["==", ["get", "layer"], "land"], paint: { "fill-color": "#d9d4c7" } },
        { id: "coast", type: "line", source: "ground", filter: ["==", ["get", "layer"], "land"], paint: { "line-color": "#8d8672", "line-width": 1 } },
        { id: "zones-rim", type: "line", source: "ground", filter: ["==", ["get", "layer"], "zone"], paint: { "line-color": "#0d2233", "line-width": 3, "line-opacity": 0.5 } },
        { id: "zones", type: "line", source: "ground", filter: ["==", ["get", "layer"], "zone"], paint: { "line-color": "#56b4e9", "line-width": 1.6 } },
        { id: "hulls-rim", type: "line", source: "overpass", minzoom: 12.5, filter: ["==", ["get", "layer"], "hull"], paint: { "line-color": "#0d2233", "line-width": 3.5 } },
        { id: "hulls", type: "line", source: "overpass", minzoom: 12.5, filter: ["==", ["get", "layer"], "hull"], paint: { "line-color": "#f0e442", "line-width": 1.5 } },
        { id: "tracks-rim", type: "line", source: "overpass", minzoom: 8, filter: ["==", ["get", "layer"], "track"], paint: { "line-color": "#fff", "line-width": 3, "line-opacity": 0.7 } },
        { id: "tracks", type: "line", source: "overpass", minzoom: 8, filter: ["==", ["get", "layer"], "track"], paint: { "line-color": "#5b4a9e", "line-width": 1.6 } },
        { id: "zone-names", type: "symbol", source: "ground", filter: ["==", ["get", "layer"], "name"], minzoom: 8, layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-max-width": 8 }, paint: { "text-color": "#0d2233", "text-halo-color": "#fff", "text-halo-width": 1.6 } },
        { id: "groups", type: "circle", source: "findings", "source-layer": "findings", filter: ["has", "n"], paint: { "circle-color": "#333a44", "circle-stroke-color": "#fff", "circle-stroke-width": 1.5, "circle-radius": ["interpolate", ["linear"], ["ln", ["get", "n"]], 0.7, 11, 9, 28] } },
        { id: "group-numbers", type: "symbol", source: "findings", "source-layer": "findings", filter: ["has", "n"], layout: { "text-field": ["to-string", ["get", "n"]], "text-font": FONT, "text-size": 11, "text-allow-overlap": true, "text-ignore-placement": true }, paint: { "text-color": "#fff" } },
        { id: "findings", type: "symbol", source: "findings", "source-layer": "findings", filter: ["!", ["has", "n"]], layout: { "icon-image": icon(), "icon-allow-overlap": true, "icon-ignore-placement": true, "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.6, 13, 1], "symbol-sort-key": ["-", 9, ["index-of", ["get", "s"], ["literal", ORDER]]] } },
        { id: "chosen", type: "circle", source: "findings", "source-layer": "findings", filter: ["==", ["get", "f"], ""], paint: { "circle-radius": 16, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": "#f0e442", "circle-stroke-width": 4 } },
      ],
    },
  });
  window.roadsteadMap = map; // for tests and for whoever looks with the browser's tools
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-left");
  map.getCanvas().setAttribute("aria-label", "Map of findings; arrow keys move it, + and − zoom. The list In view names what it shows.");
  for (const [name, image] of markerImages(setup)) map.addImage(name, image, { pixelRatio: 2 });
  map.on("load", () => { frame.dataset.ready = "yes"; });
  el("zoom-in").addEventListener("click", () => map.zoomIn());
  el("zoom-out").addEventListener("click", () => map.zoomOut());

  // ---- picture, hulls and tracks of one overpass: the last one shown of the port that is looked at
  let pictured = "";
  let pictureFailed = false;
  const sayPicture = (text, warn) => {
    el("picture").textContent = text;
    el("picture").className = warn ? "note warn" : "soft";
  };
  const near = (pass, at) => {
    const b = setup.ports[pass.port];
    return b ? Math.hypot((b[0] + b[2]) / 2 - at.lng, (b[1] + b[3]) / 2 - at.lat) : 999;
  };
  const looked = () => {
    const at = map.getCenter();
    const ports = [...new Set(shown().map((pass) => pass.port))];
    const closest = ports.map((port) => shown().findLast((pass) => pass.port === port));
    return closest.sort((a, b) => near(a, at) - near(b, at))[0];
  };
  const dropPicture = () => {
    if (map.getLayer("picture")) map.removeLayer("picture");
    if (map.getSource("picture")) map.removeSource("picture");
  };
  const lay = (pass, look, told) => {
    const base = `${location.origin}/tiles/${encodeURIComponent(pass.port)}/${encodeURIComponent(pass.id)}/${look}`;
    const extent = look === "stored" ? told.bounds : told.extent;
    const shallow = look === "stored" ? 4 : SHALLOWEST;
    map.addSource("picture", { type: "raster", tiles: [`${base}/{z}/{x}/{y}.webp`], tileSize: 256, minzoom: shallow, maxzoom: look === "stored" ? 14 : 15, bounds: extent });
    map.addLayer({ id: "picture", type: "raster", source: "picture", paint: { "raster-fade-duration": 0, "raster-resampling": "nearest" } }, "coast");
  };
  const showPicture = async () => {
    const look = form.elements.look.value;
    const pass = looked();
    el("mask-legend").hidden = look !== "mask";
    const key = pass ? `${pass.port} ${pass.id} ${look}` : "";
    if (key === pictured) return;
    pictured = key;
    pictureFailed = false;
    dropPicture();
    map.getSource("overpass").setData({ type: "FeatureCollection", features: [] });
    if (!pass) return sayPicture("No overpass is shown.");
    const path = `${encodeURIComponent(pass.port)}/${encodeURIComponent(pass.id)}`;
    const tracked = json(`/map/overpass/${path}.json`).catch(() => null);
    const told = look === "none" ? null : await json(`/tiles/${path}/about.json`).catch((error) => ({ looks: [], why: error.message }));
    const lines = await tracked;
    if (pictured !== key) return;
    if (lines) map.getSource("overpass").setData(lines);
    let text = `Below: ${pass.port}, ${pass.when}; `;
    text += lines ? `its hulls and AIS tracks of ${lines.vessels} vessel${lines.vessels === 1 ? "" : "s"}. ` : "its hulls and AIS tracks could not be read. ";
    if (lines?.cut_off) text += "There are more reports than are drawn. ";
    if (!told) return sayPicture(`${text}No picture chosen.`);
    const name = form.elements.look.selectedOptions[0].textContent;
    if (told.looks.includes(look)) {
      lay(pass, look, told);
      text += `Picture: ${name}, read from the scene${map.getZoom() < SHALLOWEST ? " when you zoom in" : ""}. `;
      if (told.changed) text += "Its item has changed since it was used. ";
      if (look === "mask" && !told.cloud_known) text += "Cloud is not known here. ";
      return sayPicture(text, told.changed);
    }
    const why = told.why || "no scene of it has the bands for this look";
    if (look === "true-colour" && told.stored) {
      lay(pass, "stored", told);
      return sayPicture(`${text}The scene cannot be read again (${why}). This is the picture in the store, of ${told.stored_pixel_m} m a pixel.`, true);
    }
    return sayPicture(`${text}No picture: ${why}. That is not empty water.`, true);
  };
  map.on("error", (event) => {
    if (event.sourceId === "picture") {
      if (event.error?.status === 404 || pictureFailed) return;
      pictureFailed = true;
      sayPicture(`Parts of the picture could not be read: ${event.error?.message || "no answer"}. Where it is missing, nothing is known of the water.`, true);
    } else if (event.sourceId === "findings") {
      fail("Findings could not be read; what is drawn may be incomplete. Load the page again.");
    }
  });

  // ---- filters and time
  let asked = 0;
  const refresh = async () => {
    sayTimes();
    map.getSource("findings")?.setTiles([tilesAt()]);
    const query = filters();
    const own = new URLSearchParams(query);
    if (frame.dataset.finding) { own.set("finding", frame.dataset.finding); own.set("port", frame.dataset.findingPort); }
    history.replaceState(null, "", `/map${own.size ? `?${own}` : ""}`);
    const mine = ++asked;
    const [told] = await Promise.all([json(`/map/counts.json?${query}`).catch(() => null), showPicture()]);
    if (mine !== asked) return;
    el("count").textContent = told ? `${told.shown.toLocaleString("en")} of ${told.total.toLocaleString("en")} findings shown` : "The number could not be read.";
    frame.dataset.shown = told ? told.shown : "";
  };
  let timer = 0;
  const soon = () => { sayTimes(); clearTimeout(timer); timer = setTimeout(refresh, 120); };
  from.addEventListener("input", () => { if (Number(from.value) > Number(to.value)) to.value = from.value; soon(); });
  to.addEventListener("input", () => { if (Number(to.value) < Number(from.value)) from.value = to.value; soon(); });
  const step = (by) => {
    const single = from.value === to.value;
    const at = Math.min(Math.max(Number(to.value) + (single ? by : 0), 0), passes.length - 1);
    from.value = to.value = at;
    soon();
  };
  el("before").addEventListener("click", () => step(-1));
  el("after").addEventListener("click", () => step(1));
  el("all").addEventListener("click", () => { from.value = 0; to.value = to.max; soon(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    const name = event.target.name;
    el("class-legend").hidden = form.elements.colour.value !== "class";
    if (name === "colour") return map.setLayoutProperty("findings", "icon-image", icon());
    if (name === "look") return showPicture();
    if (name === "port") {
      fillTimes();
      const b = setup.ports[chosenPort()];
      if (b) map.fitBounds(b, { padding: 30, animate: false, maxZoom: 14 });
    }
    return soon();
  });
  sayTimes();

  // ---- the card, and the list for who does not point
  const choose = async (port, finding, focus) => {
    map.setFilter("chosen", ["all", ["==", ["get", "f"], finding], ["==", ["get", "p"], port]]);
    const answer = await fetch(`/map/card/${encodeURIComponent(port)}/${encodeURIComponent(finding)}`).catch(() => null);
    const card = el("card");
    if (!answer?.ok || answer.redirected) { card.replaceChildren(words("This finding could not be read; load the page again.")); return; }
    card.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    card.dataset.finding = finding;
    if (focus) card.querySelector("h2")?.focus();
    document.querySelectorAll("#in-view button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.finding === finding)));
  };
  const group = (feature) => {
    const { n, ...of } = feature.properties;
    const list = document.createElement("ul");
    for (const status of ORDER) if (of[status]) list.append(Object.assign(document.createElement("li"), { textContent: `${of[status]} ${setup.statuses[status].label}` }));
    const title = Object.assign(document.createElement("h2"), { textContent: `A group of ${n} findings`, tabIndex: -1 });
    el("card").replaceChildren(title, list);
    map.easeTo({ center: feature.geometry.coordinates, zoom: Math.min(map.getZoom() + 2, 16) });
  };
  map.on("click", (event) => {
    const box = [[event.point.x - 8, event.point.y - 8], [event.point.x + 8, event.point.y + 8]];
    const found = map.queryRenderedFeatures(box, { layers: ["findings", "groups"] });
    const one = found.find((feature) => feature.properties.f);
    if (one) choose(one.properties.p, one.properties.f, false);
    else if (found.length) group(found[0]);
  });
  for (const layer of ["findings", "groups"]) {
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }
  const listView = () => {
    const seen = new Map();
    for (const feature of map.queryRenderedFeatures({ layers: ["findings"] })) seen.set(`${feature.properties.p} ${feature.properties.f}`, feature.properties);
    const found = [...seen.values()].sort((a, b) => ORDER.indexOf(a.s) - ORDER.indexOf(b.s) || b.o - a.o);
    const groups = map.queryRenderedFeatures({ layers: ["groups"] }).length;
    const active = document.activeElement?.dataset?.finding;
    el("in-view").replaceChildren(...found.slice(0, MOST_LISTED).map((one) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.finding = one.f;
      button.setAttribute("aria-pressed", String(el("card").dataset.finding === one.f));
      const kind = setup.classes[one.c]?.label || "declared vessel";
      button.textContent = `${setup.statuses[one.s].label}, ${kind}, ${setup.passes[one.o]?.when || ""}`;
      button.addEventListener("click", () => choose(one.p, one.f, true));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    if (active) el("in-view").querySelector(`[data-finding="${CSS.escape(active)}"]`)?.focus();
    const told = [];
    if (found.length > MOST_LISTED) told.push(`and ${found.length - MOST_LISTED} more; zoom in`);
    if (groups) told.push(`${groups} groups; zoom in to see what is in them`);
    if (!found.length && !groups) told.push("No finding in view. That is not to say that there is no ship.");
    el("in-view-note").textContent = told.join("; ");
  };
  let listed = "";
  let listing = 0;
  const listSoon = () => { // findings come before the picture below them
    const key = map.getBounds().toArray().join() + tilesAt();
    if (key === listed || !map.isSourceLoaded("findings")) return;
    listed = key;
    clearTimeout(listing);
    listing = setTimeout(listView, 200);
  };
  map.on("render", listSoon);
  map.on("idle", () => { frame.dataset.idle = String(Number(frame.dataset.idle || 0) + 1); listSoon(); });
  map.on("moveend", () => { if (map.isStyleLoaded()) showPicture(); });
  map.once("load", () => {
    refresh();
    if (frame.dataset.finding) choose(frame.dataset.findingPort, frame.dataset.finding, false);
  });
};

start().catch((error) => fail(`The map could not be shown: ${error.message}. The list of leads holds the same findings.`));
