// Usage: what GET /usage counts, completed for charts.

/** What became of requests. @typedef {{allowed: number, refused: number, rate_limited: number}} Counts */

export const counts = /** @type {const} */ (['allowed', 'refused', 'rate_limited']);

/** A row has all requests as `checks`, and those of them that were not allowed. @param {any} row @return {Counts} */
export function countsOf({checks = 0, refusals = 0, rate_limited = 0}) {
    return {allowed: Math.max(0, checks - refusals - rate_limited), refused: refusals, rate_limited};
}

/** @param {Counts[]} all @return {Counts} */
export function total(all) {
    const out = {allowed: 0, refused: 0, rate_limited: 0};
    for (const one of all)
        for (const name of counts)
            out[name] += one[name];
    return out;
}

/** A day in UTC, such as 2026-11-30. @param {number} at milliseconds */
export const dayOf = at => new Date(at).toISOString().slice(0, 10);

/**
 * The days up to today, the first first.
 *
 * @param {number} number
 * @param {number} now milliseconds
 */
export const lastDays = (number, now) =>
    Array.from({length: number}, (_, index) => dayOf(now - (number - 1 - index) * 86_400_000));

/**
 * One entry for each day, also for those without any use.
 *
 * @param {any[]} rows  with `day`
 * @param {string[]} days
 * @return {{day: string, counts: Counts}[]}
 */
export function byDay(rows, days) {
    const known = new Map(rows.map(row => [String(row.day).slice(0, 10), countsOf(row)]));
    return days.map(day => ({day, counts: known.get(day) ?? countsOf({})}));
}
