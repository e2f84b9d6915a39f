// Bar charts as SVG. Each has the same numbers as a table, for readers who do not see it.
import {compact, number} from '../lib/format.js';
import {t} from '../lib/i18n.js';
import {html, useId} from './html.js';
import {Table} from './table.js';

/** @typedef {{name: string, title: string, tone: string}} Series */
/** @typedef {{label: string, values: Record<string, number>}} Bar */

/** Between two parts of a bar: about a pixel of the surface, so that they differ without their colours. */
const gap = 0.6;

/** A round number from `value` on, for the top of the axis. @param {number} value */
export function roundUp(value) {
    if (value <= 5)
        return 5;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 2.5, 5, 10].map(factor => factor * power).find(round => round >= value) ?? value;
}

/**
 * Stacked bars, one for a day or another step of time.
 *
 * @param {{caption: string, series: Series[], bars: Bar[]}} props
 */
export function BarChart({caption, series, bars}) {
    const sum = (/** @type {Bar} */ bar) => series.reduce((total, {name}) => total + (bar.values[name] ?? 0), 0);
    const top = roundUp(Math.max(0, ...bars.map(sum)));
    const height = 100, step = 10, width = Math.max(1, bars.length) * step;
    const id = useId();
    const stack = (/** @type {Bar} */ bar, /** @type {number} */ index) => {
        let above = height;
        return series.map(({name, tone}) => {
            const size = (bar.values[name] ?? 0) / top * height;
            above -= size;
            const box = {x: index * step + 1, y: above, width: step - 2, height: Math.max(gap, size - gap)};
            return size > 0 && html`<rect class=${`tone-${tone}`} ...${box} />
                ${tone === 'limited' && html`<rect fill=${`url(#${id}-hatch)`} ...${box} />`}`;
        });
    };
    const columns = [
        {title: t('chart.when'), kind: /** @type {const} */ ('main'), cell: (/** @type {Bar} */ bar) => bar.label},
        ...series.map(({name, title}) => ({title, kind: /** @type {const} */ ('number'),
                                           cell: (/** @type {Bar} */ bar) => number(bar.values[name] ?? 0)}))];
    return html`<figure class="chart">
        <figcaption>${caption}</figcaption>
        <ul class="legend">${series.map(({title, tone}) => html`<li><span class=${`swatch tone-${tone}`}></span>
            ${title}</li>`)}</ul>
        <div class="plot">
            <span class="axis top" aria-hidden="true">${compact(top)}</span>
            <span class="axis middle" aria-hidden="true">${compact(top / 2)}</span>
            <svg viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img"
                aria-label=${t('chart.summary', {caption, count: bars.reduce((total, bar) => total + sum(bar), 0)})}>
                <defs><pattern id=${`${id}-hatch`} width="3" height="3" patternUnits="userSpaceOnUse"
                    patternTransform="rotate(45)"><rect class="hatch" width="1" height="3" /></pattern></defs>
                ${bars.map((bar, index) => html`<g key=${bar.label}>
                    <title>${`${bar.label}: ${series.map(({name, title}) =>
                        `${title} ${number(bar.values[name] ?? 0)}`).join(', ')}`}</title>
                    <rect class="hover" x=${index * step} y="0" width=${step} height=${height} />
                    ${stack(bar, index)}
                </g>`)}
            </svg>
        </div>
        <p class="axis-x" aria-hidden="true"><span>${bars[0]?.label}</span><span>${bars.at(-1)?.label}</span></p>
        <details class="as-table"><summary>${t('chart.as_table')}</summary>
            <${Table} caption=${caption} columns=${columns} rows=${bars} id=${(/** @type {Bar} */ bar) => bar.label} />
        </details>
    </figure>`;
}

/** A share as a bar behind a number. @param {{value: number, of: number}} props */
export const Share = ({value, of}) => html`<svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none"
    aria-hidden="true"><rect class="track" width="100" height="6" />
    <rect class="tone-accent" width=${of ? Math.max(1, value / of * 100) : 0} height="6" /></svg>`;
