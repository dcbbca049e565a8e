// Draws what the server put into data-chart, and again when that or the colours change.
const plots = new Map();
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** It is hidden, and so without a width, until the script of all pages has run. */
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.isConnected && target.clientWidth > 0)
      plots.get(target)?.setSize({ width: target.clientWidth, height: 150 });
    else if (!target.isConnected) sizes.unobserve(target);
  }
});

/** Bars stand on each other: each series is drawn over the sum of itself and those after it. */
function stacked(series) {
  const sums = series.map(({ values }) => [...values]);
  for (let index = sums.length - 2; index >= 0; index--) {
    for (const at in sums[index]) sums[index][at] += sums[index + 1][at];
  }
  return sums;
}

function draw(element) {
  const { kind, x, series } = JSON.parse(element.dataset.chart);
  const bars = kind === 'bars';
  const drawn = bars ? stacked(series) : series.map(({ values }) => values);
  const data = [x, ...drawn];
  const known = plots.get(element);
  if (known && known.series.length === data.length && known.tint === colour('text')) {
    known.setData(data);
    return;
  }
  known?.destroy();
  const axis = {
    stroke: colour('faint'),
    font: `11px ${colour('sans')}`,
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
  const step = x.length > 1 ? x[1] - x[0] : 3_600;
  // Days are named below their bars, whatever the zone of the browser.
  const named =
    step < 86_400 ? undefined : x.filter((_, index) => (x.length - 1 - index) % Math.ceil(x.length / 10) === 0);
  const plot = new uPlot(
    {
      width: element.clientWidth || 300,
      height: 150,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 4, 0, 0],
      scales: {
        x: { range: bars ? (_plot, from, to) => [from - step / 2, to + step / 2] : undefined },
        y: { range: (_plot, _from, to) => [0, Math.max(4, to * 1.1)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 60,
          size: 26,
          ...(named
            ? { splits: () => named, values: (_plot, at) => at.map((seconds) => day.format(seconds * 1_000)) }
            : { values: '{HH}:{mm}' }),
        },
        {
          ...axis,
          size: 38,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000],
        },
      ],
      series: [
        {},
        ...series.map(({ label, tone, values }) => ({
          label,
          stroke: colour(tone),
          width: bars ? 0 : 1.5,
          fill: bars ? colour(tone) : undefined,
          // A line needs two points.
          points: { show: !bars && values.filter((value) => value !== null).length < 3, size: 5 },
          paths: bars ? uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
        })),
      ],
    },
    data,
    element,
  );
  plot.tint = colour('text');
  plots.set(element, plot);
  sizes.observe(element);
}

function drawAll() {
  for (const [element, plot] of plots) {
    if (element.isConnected) continue;
    plot.destroy();
    plots.delete(element);
  }
  for (const element of document.querySelectorAll('[data-chart]')) draw(element);
}

drawAll();
document.addEventListener('htmx:after:swap', drawAll);
document.addEventListener('hapax:theme', drawAll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
