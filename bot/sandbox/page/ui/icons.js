// The page's icons, as SVG paths on a grid of 16 by 16.

const SVG = "http://www.w3.org/2000/svg";

export const EYE =
  "M8 3C4.5 3 1.7 5.2.5 8c1.2 2.8 4 5 7.5 5s6.3-2.2 7.5-5C14.3 5.2 11.5 3 8 3zm0 8.4a3.4 3.4 0 1 1 0-6.8 3.4 3.4 0 0 1 0 6.8zm0-1.6a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z";
export const WARNING = "M8 1.5L15.5 14.5H.5zM7.25 6v4.25h1.5V6zm0 5.25v1.5h1.5v-1.5z";
export const LIGHTNING = "M9.5.5 2.5 9.2h4.6L6 15.5l7.5-9H8.6z";
export const ELLIPSIS = "M3 6.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2zm5 0a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2zm5 0a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2z";
export const COPY =
  "M5.4 1h6.7c.8 0 1.4.6 1.4 1.4v8.2c0 .8-.6 1.4-1.4 1.4H5.4C4.6 12 4 11.4 4 10.6V2.4C4 1.6 4.6 1 5.4 1zm.1 1.5v8H12v-8zM2.5 4v9.5h7.6V15H2.4C1.6 15 1 14.4 1 13.6V4z";
export const CHECK = "M6.2 12.9 1.6 8.3 2.7 7.2 6.2 10.7 13.3 3.6 14.4 4.7z";
export const CLOSE = "M3.6 2.5 2.5 3.6 6.9 8l-4.4 4.4 1.1 1.1L8 9.1l4.4 4.4 1.1-1.1L9.1 8l4.4-4.4-1.1-1.1L8 6.9z";

// An icon with a label is an image for a screen reader; one without is decoration.
export function icon(path, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}
