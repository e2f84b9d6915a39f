// The addresses of the console: /console/<workspace id>/<screen>/<rest>. The workspace is part of the address, so
// that two tabs can show two workspaces, and a link shows what its sender saw.
import {site} from './site.js';

/** The screens, in the order of the navigation. */
export const screens = /** @type {const} */ (['overview', 'keys', 'team', 'audit', 'workspace', 'account']);

/** @typedef {typeof screens[number]} Screen */

/**
 * @typedef {object} Route
 * @property {string | null} workspace  the id, or null where the address names none
 * @property {Screen | 'missing'} screen
 * @property {string[]} rest  the decoded segments after the screen
 * @property {URLSearchParams} query
 */

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Where the address has a workspace but the user has none. */
const none = '-';

/** @param {string} segment @return {string | null} null if it is no valid percent-encoding */
const decode = segment => {
    try {
        return decodeURIComponent(segment);
    } catch {
        return null;
    }
};

/**
 * Read an address. Total: an unknown one is the screen `missing`.
 *
 * @param {string} path  the path of a URL
 * @param {string} [search]  its query, with or without the question mark
 * @return {Route}
 */
export function parse(path, search = '') {
    const query = new URLSearchParams(search);
    const below = path.startsWith(`${site}/`) ? path.slice(site.length) : '';
    const segments = below.split('/').filter(Boolean).map(decode);
    /** @type {Route} */
    const missing = {workspace: null, screen: 'missing', rest: [], query};
    if (segments[0] !== 'console' || segments.includes(null))
        return missing;
    const [, workspace, screen = 'overview', ...rest] = /** @type {string[]} */ (segments);
    if (workspace === undefined)
        return {...missing, screen: 'overview'};
    if (workspace !== none && !uuid.test(workspace))
        return missing;
    const known = screens.find(one => one === screen);
    return {workspace: workspace === none ? null : workspace.toLowerCase(), screen: known ?? 'missing', rest, query};
}

/**
 * The address of a screen.
 *
 * @param {string | null | undefined} workspace
 * @param {Screen} screen
 * @param {string[]} [rest]
 * @param {Record<string, string | null | undefined>} [query]  absent and empty values are left out
 */
export function address(workspace, screen, rest = [], query = {}) {
    const path = site + ['', 'console', workspace ?? none, screen, ...rest].map(encodeURIComponent).join('/');
    const given = Object.entries(query).filter(([, value]) => value);
    return given.length ? `${path}?${new URLSearchParams(/** @type {[string, string][]} */ (given))}` : path;
}

/** The sign-in page that returns here. @param {{pathname: string, search: string}} from */
export const signInAddress = from => `${site}/sign-in?return_to=${encodeURIComponent(from.pathname + from.search)}`;

/**
 * Follow clicks on links of the console without loading a page. Clicks with a modifier key, other buttons, and links
 * to other places are the browser's.
 *
 * @param {(route: Route) => void} onChange
 * @return {() => void} stops
 */
export function follow(onChange) {
    const here = () => parse(location.pathname, location.search);
    /** @param {MouseEvent} event */
    const onClick = event => {
        const link = event.target instanceof Element && event.target.closest('a[href]');
        if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0)
            return;
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.download)
            return;
        if (link.origin !== location.origin || parse(link.pathname).screen === 'missing' || link.hash)
            return;
        event.preventDefault();
        navigate(link.pathname + link.search);
    };
    const show = () => onChange(here());
    const onPop = () => {
        const {current} = guard;
        if (!current) {
            show();
            return;
        }
        // The browser has changed the address already: it is put back until the answer is known.
        const to = location.pathname + location.search;
        history.pushState(null, '', current.address);
        current.ask(() => navigate(to));
    };
    addEventListener('click', onClick);
    addEventListener('popstate', onPop);
    addEventListener(navigated, show);
    return () => {
        removeEventListener('click', onClick);
        removeEventListener('popstate', onPop);
        removeEventListener(navigated, show);
    };
}

const navigated = 'latchkey:navigated';

/** What must agree before another address is shown. */
const guard = {
    /** @type {{address: string, ask: (go: () => void) => void} | null} */
    current: null,
};

/**
 * Ask before the console leaves the address that it shows: by a link, by `navigate`, or by the browser's history.
 *
 * @param {(go: () => void) => void} ask  is given what leaves, to be called after a yes
 * @return {() => void} stops asking
 */
export function guardLeaving(ask) {
    const own = {address: location.pathname + location.search, ask};
    guard.current = own;
    return () => {
        if (guard.current === own)
            guard.current = null;
    };
}

/**
 * Show another address of the console.
 *
 * @param {string} to
 * @param {{replace?: boolean}} [options]  replace: without an entry in the history
 */
export function navigate(to, {replace = false} = {}) {
    if (guard.current) {
        guard.current.ask(() => navigate(to, {replace}));
        return;
    }
    if (replace)
        history.replaceState(null, '', to);
    else if (to !== location.pathname + location.search)
        history.pushState(null, '', to);
    dispatchEvent(new Event(navigated));
}
