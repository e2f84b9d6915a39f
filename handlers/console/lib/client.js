// The client of the API for one workspace. Its access token exists in memory only, and comes from the browser
// session through POST /session/token, at the start and again before it expires.
import {Problem, problemOf} from './problem.js';
import {site} from './site.js';

export const base = `${site}/api/v1/users`;

/** @typedef {import('../types/api.js').paths} Paths */
/** @typedef {import('../types/api.js').components['schemas']} Schemas */

/**
 * The paths that are an instance of a path of the API's document: any text stands for `{name}`.
 *
 * @template {string} P
 * @typedef {P extends `${infer Before}{${string}}${infer After}` ? `${Before}${string}${Instance<After>}` : P} Instance
 */

/**
 * The path of the document that the path of a call is an instance of.
 *
 * @template {string} P
 * @typedef {P extends string ? `/api/v1/users${P}` extends keyof Paths ? `/api/v1/users${P}` :
 *     {[K in keyof Paths]: `/api/v1/users${P}` extends Instance<K> ? K : never}[keyof Paths] : never} Documented
 */

/**
 * The JSON of a response to a call that has succeeded; undefined where there is none.
 *
 * @template R
 * @typedef {{[S in keyof R]: S extends 200 | 201 | 202 | 204 ?
 *     R[S] extends {content: {'application/json': infer Body}} ? Body : undefined : never}[keyof R]} Success
 */

/**
 * The answer of the API to a call, by the document.
 *
 * @template {'get' | 'post' | 'put' | 'patch' | 'delete'} M
 * @template {string} P  the path below /api/v1/users
 * @typedef {{[K in Documented<P>]: Paths[K] extends {[Method in M]: {responses: infer R}} ? Success<R> : never
 *     }[Documented<P>]} Answer
 */

/**
 * A row of a list.
 *
 * @template {string} P
 * @typedef {Answer<'get', P> extends {items: (infer Row)[]} ? Row : never} Row
 */

/**
 * @typedef {object} RequestOptions
 * @property {Record<string, string | number | null | undefined>} [query]  absent and empty values are left out
 * @property {unknown} [body]  sent as JSON; a Blob is sent as it is
 * @property {AbortSignal} [signal]
 */

/** How long before its end a token is renewed, in milliseconds. */
const margin = 60_000;

/** Pauses before the repetitions of a GET that did not reach the server, or found it busy. */
const pauses = [300, 1200];

/** @param {number} ms @param {AbortSignal} [signal] */
const sleep = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
    });
});

/** @param {typeof fetch} send @param {string} url @param {RequestInit} init @throws {Problem} */
async function reach(send, url, init) {
    try {
        return await send(url, init);
    } catch (error) {
        if (init.signal?.aborted)
            throw error;
        throw new Problem(0, 'unreachable', 'The server cannot be reached.');
    }
}

/** @param {string} path @param {RequestOptions['query']} [query] */
export function withQuery(path, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
    return given.length ? `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : path;
}

export class Client {
    /**
     * @param {string | null} workspace  null: the one that the session used last
     * @param {{fetch?: typeof fetch, now?: () => number, user?: string | null, onSignedOut?: () => void,
     *     onOtherUser?: () => void}} [options]
     *     user: the id of the user that the page shows; null: the one of the first token
     */
    constructor(workspace, {fetch: send = (...a) => fetch(...a), now = Date.now, user = null, onSignedOut = () => {},
        onOtherUser = () => {}} = {}) {
        this.workspace = workspace;
        this.user = user;
        this.send = send;
        this.now = now;
        this.onSignedOut = onSignedOut;
        this.onOtherUser = onOtherUser;
        this.token = '';
        this.expiresAt = 0;
        /** @type {Promise<Schemas['browser_token']> | null} */
        this.opening = null;
        /** Addresses of fetched pictures, by their path. @type {Map<string, Promise<string | null>>} */
        this.pictures = new Map();
        /** Answers that no screen has asked for yet, by their address. @type {Map<string, Promise<any>>} */
        this.prefetched = new Map();
    }

    /** Get an access token. Calls at the same time share one request. */
    open() {
        this.opening ??= this.#open().finally(() => {
            this.opening = null;
        });
        return this.opening;
    }

    /** @return {Promise<Schemas['browser_token']>} */
    async #open() {
        const response = await reach(this.send, `${site}/session/token`, {
            method: 'POST',
            headers: {'Content-Type': 'application/json'},
            body: JSON.stringify(this.workspace ? {workspace_id: this.workspace} : {}),
        });
        if (response.status === 401) {
            this.close();
            this.onSignedOut();
        }
        if (!response.ok)
            throw await problemOf(response, this.now());
        const issued = await response.json();
        // Another person has signed in, in another tab. What this page shows, and was about to do, is not theirs.
        if (this.user && this.user !== issued.user.id) {
            this.close();
            this.onOtherUser();
            throw new Problem(0, 'other_user', 'Another account is signed in.');
        }
        this.user = issued.user.id;
        this.token = issued.access_token;
        this.expiresAt = this.now() + issued.expires_in * 1000;
        return issued;
    }

    /** Forget the token, and what was fetched with it. */
    close() {
        this.token = '';
        this.expiresAt = 0;
        this.prefetched.clear();
        for (const picture of this.pictures.values())
            picture.then(url => url && URL.revokeObjectURL(url));
        this.pictures.clear();
    }

    /** Ask for the browser's session, before anything else is done with it. */
    async recheck() {
        this.close();
        try {
            await this.open();
        } catch {
            // The callbacks have heard of it, or the next call will find out.
        }
    }

    /**
     * Make a call with the session's token. A rejected token is renewed once: a call that was answered 401 has done
     * nothing. Only a GET is repeated when the server is busy or cannot be reached.
     *
     * @param {string} method
     * @param {string} path  below /api/v1/users
     * @param {RequestOptions} options
     * @return {Promise<Response>} a response with a status below 400
     * @throws {Problem}
     */
    async #call(method, path, {query, body, signal} = {}) {
        if (!this.token || this.expiresAt - this.now() < margin)
            await this.open();
        const isBlob = body instanceof Blob;
        let renewed = false;
        for (let attempt = 0; ; ++attempt) {
            /** @type {Record<string, string>} */
            const headers = {Authorization: `Bearer ${this.token}`};
            if (body !== undefined)
                headers['Content-Type'] = isBlob ? body.type : 'application/json';
            /** @type {Problem} */
            let problem;
            try {
                const response = await reach(this.send, withQuery(base + path, query), {
                    method, headers, signal, cache: 'no-store', credentials: 'omit',
                    body: body === undefined ? undefined : isBlob ? body : JSON.stringify(body),
                });
                if (response.status < 400)
                    return response;
                problem = await problemOf(response, this.now());
            } catch (error) {
                if (!(error instanceof Problem))
                    throw error;
                problem = error;
            }
            if (problem.status === 401 && !renewed) {
                renewed = true;
                await this.open();
                continue;
            }
            const passes = problem.status === 0 || [502, 503, 504].includes(problem.status);
            const pause = pauses[attempt];
            if (method !== 'GET' || !passes || pause === undefined)
                throw problem;
            await sleep(Math.min(3000, Math.max(pause, (problem.retryAfter ?? 0) * 1000)), signal);
        }
    }

    /**
     * The body is taken to be what the API's document says.
     *
     * @param {string} method
     * @param {string} path
     * @param {RequestOptions} [options]
     * @return {Promise<any>} undefined without a body
     */
    async #request(method, path, options) {
        const response = await this.#call(method, path, options);
        return response.status === 204 || response.headers.get('Content-Length') === '0' ? undefined : response.json();
    }

    /** @template {string} P @param {P} path @param {RequestOptions['query']} [query] @param {AbortSignal} [signal]
     *  @return {Promise<Answer<'get', P>>} */
    get(path, query, signal) {
        const address = withQuery(path, query);
        const known = this.prefetched.get(address);
        this.prefetched.delete(address);
        return known ?? this.#request('GET', path, {query, signal});
    }

    /**
     * Ask for what a screen is about to `get`, which then takes this answer, if it asks within some seconds.
     *
     * @param {string} path
     * @param {RequestOptions['query']} [query]
     */
    prefetch(path, query) {
        const address = withQuery(path, query);
        const answer = this.#request('GET', path, {query});
        answer.catch(() => {});
        this.prefetched.set(address, answer);
        setTimeout(() => this.prefetched.delete(address), 5000);
    }

    /**
     * The rows of a list for a choice: of its first pages, since no person reads more.
     *
     * @template {string} P
     * @param {P} path
     * @param {RequestOptions['query']} query
     * @param {AbortSignal} [signal]
     * @param {number} [pages]
     * @return {Promise<Row<P>[]>}
     */
    async rows(path, query, signal, pages = 5) {
        /** @type {Row<P>[]} */
        const out = [];
        /** @type {string | null} */
        let cursor = null;
        for (let page = 0; page < pages; ++page) {
            /** @type {{items: Row<P>[], next_cursor: string | null}} */
            const answer = await this.#request('GET', path, {query: {limit: 200, ...query, cursor}, signal});
            out.push(...answer.items);
            cursor = answer.next_cursor;
            if (!cursor)
                break;
        }
        return out;
    }

    /** @template {string} P @param {P} path @param {unknown} [body] @return {Promise<Answer<'post', P>>} */
    post(path, body) {
        return this.#request('POST', path, {body});
    }

    /** @template {string} P @param {P} path @param {Blob} body @return {Promise<Answer<'put', P>>} */
    put(path, body) {
        return this.#request('PUT', path, {body});
    }

    /** @template {string} P @param {P} path @param {unknown} body @return {Promise<Answer<'patch', P>>} */
    patch(path, body) {
        return this.#request('PATCH', path, {body});
    }

    /** @template {string} P @param {P} path @param {unknown} [body] @return {Promise<Answer<'delete', P>>} */
    delete(path, body) {
        return this.#request('DELETE', path, {body});
    }

    /**
     * A picture as a blob URL, since an <img> sends no credential. Each is fetched once.
     *
     * @param {string} url  an avatar_url
     * @return {Promise<string | null>} null if there is none, or another site has it: the token is for this one
     */
    async picture(url) {
        const {origin, pathname, search} = new URL(url, location.origin);
        if (origin !== location.origin || !pathname.startsWith(`${base}/`))
            return null;
        const path = pathname.slice(base.length) + search;
        const known = this.pictures.get(path);
        if (known)
            return known;
        const fetched = this.#call('GET', path)
            .then(response => response.blob())
            .then(blob => URL.createObjectURL(blob), () => null);
        this.pictures.set(path, fetched);
        return fetched;
    }
}

/** What the tabs of a browser hear when its session ends. The pages use it too (handlers/pages/page.js).
 *  @type {BroadcastChannel | undefined} */
let tabs;
const channel = () => tabs ??= new BroadcastChannel('latchkey:session');

/** Tell the other tabs that the browser's session has ended. */
export const announceSignOut = () => channel().postMessage('ended');

/**
 * Hear of an end of the session in another tab. It is a hint: the server knows whether it has ended.
 *
 * @param {() => void} onEnd
 * @return {() => void} stops
 */
export function followSession(onEnd) {
    const from = channel();
    from.addEventListener('message', onEnd);
    return () => from.removeEventListener('message', onEnd);
}

/**
 * End the browser session, in all tabs.
 *
 * @param {typeof fetch} [send]
 * @throws {Problem} it may not have ended
 */
export async function signOut(send = (...a) => fetch(...a)) {
    const response = await reach(send, `${site}/session`, {method: 'DELETE'});
    if (!response.ok)
        throw await problemOf(response, Date.now());
    announceSignOut();
}
