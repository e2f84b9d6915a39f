// An error of the API, or of the way to it.

/** @typedef {{loc: (string | number)[], msg: string, type: string}} FieldError */

/** What a call failed with. `status` 0: the server was not reached. */
export class Problem extends Error {
    /**
     * @param {number} status
     * @param {string} code
     * @param {string} detail  for people, in English
     * @param {{fields?: FieldError[], retryAfter?: number | null, requestId?: string | null,
     *     body?: Record<string, unknown>}} [more]
     */
    constructor(status, code, detail, {fields = [], retryAfter = null, requestId = null, body = {}} = {}) {
        super(detail || code);
        this.name = 'Problem';
        this.status = status;
        this.code = code;
        this.detail = detail;
        this.fields = fields;
        /** Seconds to wait before the next attempt. */
        this.retryAfter = retryAfter;
        this.requestId = requestId;
        this.body = body;
    }

    /** The missing permission of a 403. @return {string | null} */
    get required() {
        return typeof this.body.required === 'string' ? this.body.required : null;
    }

    /**
     * The errors by the name of their form field: the last name of their location, without the place (`body`,
     * `query`) that it begins with. The first error of a field counts.
     *
     * @return {Map<string, FieldError>}
     */
    byField() {
        const out = new Map();
        for (const one of this.fields) {
            const names = one.loc.slice(1).filter(part => typeof part === 'string');
            const name = names[0] ?? String(one.loc[0] ?? '');
            if (!out.has(name))
                out.set(name, one);
        }
        return out;
    }
}

/** The problem of a field that the console finds itself. @param {string} name @param {string} type */
export const fieldProblem = (name, type) =>
    new Problem(422, 'validation_error', '', {fields: [{loc: ['body', name], msg: '', type}]});

/**
 * Seconds of a Retry-After header (RFC 9110, section 10.2.3): a number, or a date.
 *
 * @param {string | null} value
 * @param {number} now  milliseconds
 * @return {number | null}
 */
export function retryAfterSeconds(value, now) {
    if (!value)
        return null;
    if (/^\d+$/.test(value.trim()))
        return Number(value);
    const at = Date.parse(value);
    return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000));
}

/**
 * The problem that a response describes.
 *
 * @param {Response} response  with a status from 400 on
 * @param {number} now  milliseconds
 * @return {Promise<Problem>}
 */
export async function problemOf(response, now) {
    /** @type {Record<string, unknown>} */
    let body = {};
    try {
        const read = await response.json();
        if (read && typeof read === 'object')
            body = read;
    } catch {
        // A proxy's page; the status has to do.
    }
    const listed = Array.isArray(body.detail);
    return new Problem(
        response.status, typeof body.code === 'string' ? body.code : `http_${response.status}`,
        typeof body.detail === 'string' ? body.detail : '', {
            fields: listed ? /** @type {FieldError[]} */ (body.detail) : [],
            retryAfter: retryAfterSeconds(response.headers.get('Retry-After'), now),
            requestId: response.headers.get('X-Request-Id'),
            body,
        });
}
