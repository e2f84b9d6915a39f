// States of API keys, and what a change of scopes or expiry means.

const day = 86_400_000;

/** @typedef {{revoked_at: string | null, expires_at: string | null, last_used_at?: string | null}} Times */

/** @param {Times} key @param {number} [now] milliseconds @return {'active' | 'expiring' | 'expired' | 'revoked'} */
export function stateOf(key, now = Date.now()) {
    if (key.revoked_at && Date.parse(key.revoked_at) <= now)
        return 'revoked';
    if (!key.expires_at)
        return 'active';
    const left = Date.parse(key.expires_at) - now;
    return left <= 0 ? 'expired' : left <= 14 * day ? 'expiring' : 'active';
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
