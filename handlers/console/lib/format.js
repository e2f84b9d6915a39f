// Numbers, dates and names for people, in the language in use.
import {currentLocale} from './i18n.js';

const minute = 60, hour = 60 * minute, day = 24 * hour;

/** The largest unit that a span has one of. @type {[number, Intl.RelativeTimeFormatUnit][]} */
const units = [[365 * day, 'year'], [30 * day, 'month'], [day, 'day'], [hour, 'hour'], [minute, 'minute'],
               [1, 'second']];

/**
 * A time relative to now: "3 hours ago", "in 2 days".
 *
 * @param {number} at  milliseconds
 * @param {number} now  milliseconds
 * @param {string} [locale]
 */
export function relative(at, now, locale = currentLocale()) {
    const seconds = Math.round((at - now) / 1000);
    const [size, unit] = units.find(([least]) => Math.abs(seconds) >= least) ?? [1, 'second'];
    return new Intl.RelativeTimeFormat(locale, {numeric: 'auto'}).format(Math.trunc(seconds / size), unit);
}

/** @param {string | number | Date} at @param {string} [zone] a time zone; default: the browser's */
export const dateTime = (at, zone) =>
    new Date(at).toLocaleString(currentLocale(), {dateStyle: 'medium', timeStyle: 'short', timeZone: zone});

/** @param {string | number | Date} at */
export const date = at => new Date(at).toLocaleDateString(currentLocale(), {dateStyle: 'medium'});

/** A day of a chart, which is a day in UTC. @param {string} isoDay such as 2026-11-30 */
export const shortDay = isoDay =>
    new Date(`${isoDay}T00:00:00Z`)
        .toLocaleDateString(currentLocale(), {day: 'numeric', month: 'short', timeZone: 'UTC'});

/** @param {number} value */
export const number = value => value.toLocaleString(currentLocale());

/** 12,345 as 12K. @param {number} value */
export const compact = value =>
    value.toLocaleString(currentLocale(), {notation: 'compact', maximumFractionDigits: 1});

/** @param {number} part @param {number} whole */
export const percent = (part, whole) =>
    (whole ? part / whole : 0).toLocaleString(currentLocale(), {style: 'percent', maximumFractionDigits: 1});

/** The initials of a name, or of an address: at most two. @param {string} name */
export function initials(name) {
    const words = name.replace(/@.*/, '').split(/[\s._-]+/).filter(Boolean);
    const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : words;
    return chosen.map(word => [...word][0]).join('').toUpperCase() || '?';
}

/**
 * The browser and system of a User-Agent, for people. What is not recognized is shown as it is.
 *
 * @param {string} agent
 */
export function device(agent) {
    const program = /\b(Edg|OPR|Firefox|Chrome|Safari|curl|Wget|python-requests|PostmanRuntime|node)\b/;
    const order = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'];
    const names = /** @type {Record<string, string>} */ ({Edg: 'Edge', OPR: 'Opera'});
    const browser = order.find(one => agent.includes(`${one}/`)) ?? program.exec(agent)?.[1];
    const system = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'CrOS', 'Linux'].find(one => agent.includes(one));
    const browserName = browser && (names[browser] ?? browser);
    const systemName = system === 'Mac OS' ? 'macOS' : system === 'CrOS' ? 'ChromeOS' : system;
    return [browserName, systemName].filter(Boolean).join(' · ') || agent.slice(0, 60);
}

/**
 * The email addresses in a pasted text: separated by white space, commas or semicolons; `Name <address>` is read too.
 *
 * @param {string} text
 * @return {string[]} each once, in order
 */
export function addressesIn(text) {
    /** @type {Map<string, string>} */
    const out = new Map();
    for (const piece of text.split(/[\s,;<>"']+/)) {
        const address = piece.replace(/^mailto:/i, '').replace(/[.:]+$/, '');
        if (/^[^@]+@[^@]+$/.test(address) && !out.has(address.toLowerCase()))
            out.set(address.toLowerCase(), address);
    }
    return [...out.values()];
}

/** A date of a form, the end of that day here, as an instant. @param {string} day such as 2026-11-30 */
export const endOfDay = day => new Date(`${day}T23:59:59`).toISOString().replace(/\.\d+Z$/, 'Z');

/** A day from now on, as a date field has it. @param {number} days @param {number} [now] milliseconds */
export function dayAfter(days, now = Date.now()) {
    const at = new Date(now + days * day * 1000);
    const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
