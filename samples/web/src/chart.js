// A loss curve as SVG: every step as a thin line, their running mean as a thick one.

const margin = { left: 36, right: 12, top: 8, bottom: 40 };
const smoothing = 0.7;

export class LossChart {
  // svg: an empty svg element with a size from the style sheet.
  constructor(svg) {
    this.svg = svg;
    new ResizeObserver(() => this.draw()).observe(svg);
    this.clear(1);
  }

  clear(steps) {
    this.steps = Math.max(steps, 2);
    this.losses = [];
    this.draw();
  }

  add(loss) {
    this.losses.push(loss);
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (width === 0)
      return;
    const top = niceCeiling(Math.max(1, ...this.losses), [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10]);
    const x = step => margin.left + (step - 1) / (this.steps - 1) * (width - margin.left - margin.right);
    const y = loss => margin.top + (1 - loss / top) * (height - margin.top - margin.bottom);
    const path = losses => losses.map((loss, i) => `${i ? 'L' : 'M'}${x(i + 1).toFixed(1)},${y(loss).toFixed(1)}`);
    const line = (losses, name) => element('path', { d: path(losses).join(''), class: name });
    this.svg.replaceChildren(
      ...[0, 1, 2, 3, 4].flatMap(i => rule(top * i / 4, y(top * i / 4), width)),
      ...this.#ticks().map(step => label(step, x(step), height - 22)),
      label('step', width / 2, height - 4),
      line(this.losses, 'losses'),
      line(runningMean(this.losses), 'mean'));
    this.svg.setAttribute('aria-label', this.#description());
  }

  // Whole steps that divide the axis into five or fewer.
  #ticks() {
    const apart = niceCeiling(this.steps / 5);
    const last = Math.floor(this.steps / apart);
    return [1, ...Array.from({ length: last }, (_, i) => (i + 1) * apart)].filter(Number.isInteger);
  }

  #description() {
    const [first, last] = [this.losses[0], this.losses.at(-1)];
    return first === undefined
      ? 'Loss curve, empty so far'
      : `Loss curve: ${first.toFixed(2)} at step 1, ${last.toFixed(2)} at step ${this.losses.length}`;
  }
}

// Exponential, and corrected for its start.
function runningMean(losses) {
  let [sum, weight] = [0, 0];
  return losses.map(loss => {
    sum = smoothing * sum + loss;
    weight = smoothing * weight + 1;
    return sum / weight;
  });
}

const rule = (loss, at, width) => [
  element('line', { x1: margin.left, x2: width - margin.right, y1: at, y2: at }),
  element('text', { x: margin.left - 8, y: at + 4, 'text-anchor': 'end' }, Number(loss.toFixed(2))),
];

const label = (text, x, y) => element('text', { x, y, 'text-anchor': 'middle' }, text);

// The next of 1, 2, 4, 5, 10, 20, 40, … and their tenths, or of other steps of a decade.
function niceCeiling(value, steps = [1, 2, 4, 5, 10]) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * steps.find(step => value <= step * unit);
}

function element(name, attributes, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
