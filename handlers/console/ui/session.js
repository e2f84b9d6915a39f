// What every screen needs: the client, who is signed in, and the data that it loads.
import {Problem} from '../lib/problem.js';
import {address} from '../lib/router.js';
import {createContext, useCallback, useContext, useLayoutEffect, useRef, useState} from './html.js';

/** @typedef {import('../lib/client.js').Client} Client */
/** @typedef {import('../lib/client.js').Schemas} Schemas */

/**
 * @template {string} P
 * @typedef {import('../lib/client.js').Row<P>} RowOf
 */

/**
 * @typedef {object} Session
 * @property {Client} client
 * @property {import('../start.js').Me} me
 * @property {Schemas['user']} user
 * @property {import('../lib/router.js').Route} route
 * @property {() => Promise<void>} refresh  load `me` again, after a change of it
 */

/** @type {any} */
export const SessionContext = createContext(null);

/** @return {Session} */
export const useSession = () => useContext(SessionContext);

/** Whether the role grants a permission. @return {(permission: string) => boolean} */
export function useCan() {
    const {me} = useSession();
    return permission => me.permissions.includes(permission);
}

/** Addresses within the current workspace. */
export function useAddress() {
    const {route} = useSession();
    /**
     * @param {import('../lib/router.js').Screen} screen
     * @param {string[]} [rest]
     * @param {Record<string, string | null | undefined>} [query]
     */
    const of = (screen, rest, query) => address(route.workspace, screen, rest, query);
    return of;
}

/** @param {unknown} error @return {Problem} */
export const asProblem = error =>
    error instanceof Problem ? error : new Problem(0, 'client_error', String(error));

/**
 * Load data when the component appears and when `key` changes. A late answer of an earlier key is dropped.
 *
 * @template T
 * @param {string | null} key  null: nothing to load
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @return {{data: T | undefined, problem: Problem | null, reload: () => void, set: (data: T) => void}}
 */
export function useLoad(key, load) {
    const [state, setState] = useState(
        /** @type {{key: string | null, data?: T, problem: Problem | null}} */ ({key, problem: null}));
    const [round, setRound] = useState(0);
    // Not after the next frame: what is there already is drawn with it.
    useLayoutEffect(() => {
        if (key === null)
            return undefined;
        const control = new AbortController();
        load(control.signal).then(
            data => control.signal.aborted || setState({key, data, problem: null}),
            error => control.signal.aborted ||
                setState(before => ({key, data: before.key === key ? before.data : undefined,
                                     problem: asProblem(error)})));
        return () => control.abort();
    }, [key, round]);
    const isCurrent = state.key === key;
    return {
        data: isCurrent ? state.data : undefined,
        problem: isCurrent ? state.problem : null,
        reload: useCallback(() => setRound(before => before + 1), []),
        set: data => setState({key, data, problem: null}),
    };
}

/**
 * A list that pages by cursor. Rows that were shown stay where they are: further pages are appended, and changes
 * replace rows in place.
 *
 * @template {string} P
 * @param {P | null} path  null: nothing to load
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export function useList(path, query = {}) {
    const {client} = useSession();
    const key = path && JSON.stringify([path, query]);
    const first = useLoad(key, signal => client.get(/** @type {P} */ (path), query, signal));
    const [pages, setPages] = useState(
        /** @type {{of: unknown, rows: RowOf<P>[], next: string | null, problem: Problem | null}} */
        ({of: null, rows: [], next: null, problem: null}));
    const [isLoading, setLoading] = useState(false);
    /** @type {any} */
    const page = first.data;
    // The further pages belong to one first page.
    const state = pages.of === page ? pages :
        {of: page, rows: /** @type {RowOf<P>[]} */ (page?.items ?? []), next: page?.next_cursor ?? null, problem: null};
    const latest = useRef(state);
    latest.current = state;

    const more = useCallback(async () => {
        const from = latest.current;
        setLoading(true);
        try {
            /** @type {any} */
            const next = await client.get(/** @type {P} */ (path), {...query, cursor: from.next});
            if (latest.current.of === from.of)
                setPages({of: from.of, rows: [...latest.current.rows, ...next.items], next: next.next_cursor,
                          problem: null});
        } catch (error) {
            setPages({...from, problem: asProblem(error)});
        } finally {
            setLoading(false);
        }
    }, [key]);
    /** @param {(rows: RowOf<P>[]) => RowOf<P>[]} edit */
    const change = edit => setPages({...latest.current, rows: edit(latest.current.rows)});

    return {
        rows: page ? state.rows : null,
        /** Another one after each change of the query. */
        key,
        total: /** @type {number | undefined} */ (page?.total),
        hasMore: state.next !== null,
        isLoading,
        problem: first.problem ?? state.problem,
        more,
        change,
        reload: first.reload,
    };
}

/** @typedef {ReturnType<typeof useList<any>>} List */
