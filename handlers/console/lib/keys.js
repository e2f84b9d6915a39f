// API keys: their states, what a change of scopes or expiry means, and how they are used.

const day = 86_400_000;

/** How long before its end a key is said to expire soon. */
const soon = 14 * day;

/** @typedef {{revoked_at: string | null, expires_at: string | null, last_used_at?: string | null}} Times */

/** @param {Times} key @param {number} [now] milliseconds @return {'active' | 'expiring' | 'expired' | 'revoked'} */
export function stateOf(key, now = Date.now()) {
    if (key.revoked_at && Date.parse(key.revoked_at) <= now)
        return 'revoked';
    if (!key.expires_at)
        return 'active';
    const left = Date.parse(key.expires_at) - now;
    return left <= 0 ? 'expired' : left <= soon ? 'expiring' : 'active';
}

/** Days that a new key may live, as offered. null: without end. */
export const lifetimes = /** @type {const} */ ([7, 30, 90, 365, null]);

/** The permissions by resource: `team:read` and `team:roles` belong together. @param {string[]} permissions */
export function byResource(permissions) {
    /** @type {Map<string, string[]>} */
    const out = new Map();
    for (const one of permissions) {
        const resource = one.split(':')[0];
        out.set(resource, [...out.get(resource) ?? [], one]);
    }
    return [...out];
}

/** What became of requests. @typedef {{allowed: number, refused: number, rate_limited: number}} Counts */

export const counts = /** @type {const} */ (['allowed', 'refused', 'rate_limited']);

/** A row has all requests as `checks`, and those of them that were not allowed. 
 *  @param {{checks?: number, refusals?: number, rate_limited?: number}} row @return {Counts} */
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
    Array.from({length: number}, (_, index) => dayOf(now - (number - 1 - index) * day));

/**
 * One entry for each day, also for those without any use.
 *
 * @param {import('./client.js').Row<'/usage'>[]} rows  with `day`
 * @param {string[]} days
 * @return {{day: string, counts: Counts}[]}
 */
export function byDay(rows, days) {
    const known = new Map(rows.map(row => [String(row.day).slice(0, 10), countsOf(row)]));
    return days.map(day => ({day, counts: known.get(day) ?? countsOf({})}));
}

/**
 * The calls of the overview, here because they begin before its module is there.
 *
 * @param {number} days  of the usage
 * @param {string[]} permissions
 * @param {number} [now]  milliseconds
 */
export function overviewCalls(days, permissions, now = Date.now()) {
    const asked = lastDays(days, now);
    const usage = (/** @type {string} */ by) =>
        ({path: /** @type {const} */ ('/usage'), query: {from: asked[0], to: asked.at(-1), by, limit: 200}});
    const seesAll = permissions.includes('api_keys:admin');
    return {
        /** Enough to know whether there is none, or one. */
        keys: {path: /** @type {const} */ ('/api-keys'), query: {status: 'active', limit: 2}},
        // The time is that of a day: the same call a moment later has the same address.
        expiring: {path: seesAll ? /** @type {const} */ ('/team/api-keys') : /** @type {const} */ ('/api-keys'),
                   query: {expires_before: `${dayOf(now + soon + day)}T00:00:00Z`, limit: 200}},
        requests: permissions.includes('team:approve') ?
            {path: /** @type {const} */ ('/team/requests'), query: {limit: 20}} : null,
        daily: usage('day'),
        keyed: usage('key'),
    };
}

/** The periods of the usage that is shown, in days. */
export const periods = [7, 30, 90];

/** The period that an address names. @param {URLSearchParams} query */
export const periodOf = query => periods.find(one => String(one) === query.get('days')) ?? 30;
