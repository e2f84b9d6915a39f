// What takes longest, begun first: texts, session, and the data of the overview, while the browser still loads the
// modules that show them.
import {Client} from './lib/client.js';
import {preferred, use} from './lib/i18n.js';
import {overviewCalls, periodOf} from './lib/keys.js';
import {parse, signInAddress} from './lib/router.js';

/** @typedef {import('./lib/client.js').Schemas} Schemas */

/** What is known of the user. @typedef {Omit<Schemas['me'], 'credential'>} Me */

const leave = () => location.assign(signInAddress(location));

/** @param {Me} me */
export const languagesOf = me => preferred(me.user?.locale, navigator.languages);

const texts = use(navigator.languages);

/**
 * The session of a workspace, with the texts in the user's language.
 *
 * @param {string | null} workspace
 * @param {string | null} [user]  the id of the user that the page shows; null: none so far
 * @param {(client: Client, me: Me) => void} [onOpen]  is called before the texts are there
 * @return {Promise<{client: Client, me: Me}>}
 */
export async function open(workspace, user = null, onOpen = () => {}) {
    const client = new Client(workspace, {user, onSignedOut: leave, onOtherUser: () => location.reload()});
    const me = await client.open();
    client.workspace = me.workspace?.id ?? null;
    onOpen(client, me);
    // One language after the other: the last one counts.
    await texts;
    await use(languagesOf(me));
    return {client, me};
}

const route = parse(location.pathname, location.search);

/** The session of the page's address. */
export const first = open(route.workspace, null, (client, {workspace, permissions}) => {
    if (route.screen !== 'overview' || !workspace)
        return;
    for (const call of Object.values(overviewCalls(periodOf(route.query), permissions)))
        if (call)
            client.prefetch(call.path, call.query);
});
first.catch(() => {});
