// Markers drawn here, so that nothing is fetched: a shape for each status, in the colour of the status or of a class.
const SIZE = 40; // twice what is shown, for sharp screens
const MIDDLE = SIZE / 2;
const REACH = 12;

const corners = {
  square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
  triangle: [[0, -1.1], [1.1, 0.9], [-1.1, 0.9]],
  diamond: [[0, -1.25], [1, 0], [0, 1.25], [-1, 0]],
  hex: [[-1.1, 0], [-0.55, -1], [0.55, -1], [1.1, 0], [0.55, 1], [-0.55, 1]],
};

const path = (context, marker) => {
  context.beginPath();
  if (marker === "x") {
    for (const [x, y] of [[-1, -1], [-1, 1]]) {
      context.moveTo(MIDDLE + x * REACH, MIDDLE + y * REACH);
      context.lineTo(MIDDLE - x * REACH, MIDDLE - y * REACH);
    }
  } else if (corners[marker]) {
    corners[marker].forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](MIDDLE + x * REACH, MIDDLE + y * REACH));
    context.closePath();
  } else {
    context.arc(MIDDLE, MIDDLE, REACH, 0, 2 * Math.PI);
  }
};

const drawn = (marker, colour) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const context = canvas.getContext("2d");
  context.lineJoin = context.lineCap = "round";
  path(context, marker);
  for (const [style, width] of [["#0d2233", 9], ["#ffffff", 7], [colour, 5]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
  return context.getImageData(0, 0, SIZE, SIZE);
};

// Yields [name, image] of every marker: "status|status" in the colour of the status, "status|class" in that of a class.
export function* markerImages(setup) {
  for (const [status, look] of Object.entries(setup.statuses)) {
    yield [`${status}|status`, drawn(look.marker, look.colour)];
    for (const [name, own] of Object.entries(setup.classes)) yield [`${status}|${name}`, drawn(look.marker, own.colour)];
    yield [`${status}|none`, drawn(look.marker, setup.classes.all.colour)];
  }
}
