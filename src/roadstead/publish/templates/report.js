window.roadstead = {
  // Show a box of the map whole, keeping one scale for both axes.
  fit(plot, west, south, east, north) {
    const shape = plot.inner_width / plot.inner_height;
    const wide = Math.max(east - west, (north - south) * shape);
    const x = (west + east) / 2, y = (south + north) / 2;
    plot.x_range.setv({start: x - wide / 2, end: x + wide / 2});
    plot.y_range.setv({start: y - wide / shape / 2, end: y + wide / shape / 2});
  },
  // The frame changed its size: stay at the whole map if there, else keep what is shown from west to east.
  resized(plot, west, south, east, north) {
    const x = plot.x_range, y = plot.y_range;
    if (!(plot.inner_width > 0 && plot.inner_height > 0)) return;
    const home = x.reset_start == null || (x.start === x.reset_start && x.end === x.reset_end);
    if (!home) return this.fit(plot, x.start, (y.start + y.end) / 2, x.end, (y.start + y.end) / 2);
    this.fit(plot, west, south, east, north);
    for (const range of [x, y]) range.setv({reset_start: range.start, reset_end: range.end});
  },
  model(name) {
    for (const doc of Bokeh.documents) {
      const found = doc.get_model_by_name(name);
      if (found != null) return found;
    }
    return null;
  },
  show(port, overpass, x, y) {
    const select = this.model(`overpass-${port}`), plot = this.model(`map-${port}`);
    if (select == null || plot == null) return;
    select.value = overpass;
    this.fit(plot, x - 0.8, y - 0.8, x + 0.8, y + 0.8);
    document.getElementById(`map-of-${port}`).scrollIntoView({block: "start"});
  },
};
document.addEventListener("click", (event) => {
  const at = event.target.closest("button[data-port]");
  if (at) window.roadstead.show(at.dataset.port, at.dataset.overpass, Number(at.dataset.x), Number(at.dataset.y));
});
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
