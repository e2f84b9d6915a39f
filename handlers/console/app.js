// The console: opens the session of the address's workspace, and shows the screen of the address.
import {Client, followSession, signOut} from './lib/client.js';
import {preferred, t, use} from './lib/i18n.js';
import {Problem} from './lib/problem.js';
import {site} from './lib/site.js';
import {address, follow, navigate, parse, signInAddress} from './lib/router.js';
import {Loading} from './ui/controls.js';
import {html, useCallback, useEffect, useRef, useState} from './ui/html.js';
import {Frame} from './ui/navigation.js';
import {ProblemNotice} from './ui/problem.js';
import {asProblem, SessionContext} from './ui/session.js';
import {Toasts} from './ui/toast.js';
import {Missing} from './screens/missing.js';

/** @typedef {import('./lib/router.js').Route} Route */
/** @typedef {import('./lib/client.js').Schemas} Schemas */

/** The module of each screen, fetched when it is first shown. @type {Record<string, () => Promise<any>>} */
const modules = {
    overview: () => import('./screens/overview.js'),
    keys: () => import('./screens/keys.js'),
    team: () => import('./screens/team.js'),
    audit: () => import('./screens/audit.js'),
    workspace: () => import('./screens/workspace.js'),
    account: () => import('./screens/account.js'),
};

const leave = () => location.assign(signInAddress(location));

/** The session of a workspace. @param {string | null} workspace @param {string | null} [user] that the page shows */
export async function open(workspace, user = null) {
    const client = new Client(workspace, {user, onSignedOut: leave, onOtherUser: () => location.reload()});
    const issued = await client.open();
    client.workspace = issued.workspace?.id ?? null;
    const me = /** @type {Schemas['me']} */ (await client.get('/me'));
    return {client, me};
}

/** @param {Schemas['me']} me */
const languagesOf = me => preferred(me.user?.locale, navigator.languages);

/** @param {{first: ReturnType<typeof open>}} props  first: the session of the page's address */
export function App({first}) {
    const [route, setRoute] = useState(() => parse(location.pathname, location.search));
    const [session, setSession] = useState(
        /** @type {{client: Client, me: Schemas['me']} | null} */ (null));
    const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
    const [round, setRound] = useState(0);
    const next = useRef(/** @type {ReturnType<typeof open> | null} */ (first));
    useEffect(() => follow(setRoute), []);
    useEffect(() => followSession(() => session?.client.recheck()), [session]);

    useEffect(() => {
        // Another workspace is another client: nothing of the one is left in the other.
        if (session && session.client.workspace === route.workspace && !problem)
            return;
        let isCurrent = true;
        setProblem(null);
        const begun = next.current ?? open(route.workspace, session?.client.user);
        next.current = null;
        begun.then(async opened => {
            await use(languagesOf(opened.me));
            if (!isCurrent)
                return;
            session?.client.close();
            setSession(opened);
            if (route.screen !== 'missing' && route.workspace !== opened.client.workspace) {
                const screen = opened.client.workspace ? route.screen : 'account';
                navigate(address(opened.client.workspace, screen, route.rest), {replace: true});
            }
        }, error => isCurrent && setProblem(asProblem(error)));
        return () => {
            isCurrent = false;
        };
    }, [route.workspace, round]);

    const refresh = useCallback(async () => {
        if (!session)
            return;
        const me = await session.client.get('/me');
        await use(languagesOf(me));
        setSession({client: session.client, me});
    }, [session]);

    const isOpen = session && session.client.workspace === route.workspace;
    return html`
        ${problem ? html`<main class="alone"><${Failed} problem=${problem} retry=${() =>
            setRound(round + 1)} /></main>` :
            isOpen ? html`<${SessionContext.Provider} key=${route.workspace}
                value=${{...session, user: session.me.user, route, refresh}}>
                <${Frame} onSignOut=${async () => {
                    await signOut();
                    session.client.close();
                    location.assign(`${site}/sign-in`);
                }}><${Current} route=${route} /><//><//>` :
            html`<main class="alone"><${Loading} /></main>`}
        <${Toasts} />`;
}

/** @param {{problem: Problem, retry: () => void}} props */
function Failed({problem, retry}) {
    if (problem.status === 401)
        return html`<p>${t('session.signing_in')} <a href=${signInAddress(location)}>${t('session.sign_in')}</a></p>`;
    if (problem.status === 404)
        return html`<h1>${t('session.no_workspace')}</h1><p>${t('session.no_workspace_hint')}</p>
            <p><a class="button primary" href=${`${site}/console`}>${t('session.own_workspace')}</a></p>`;
    return html`<h1>${t('session.failed')}</h1><${ProblemNotice} problem=${problem} retry=${retry} />`;
}

/** The screen of the address. @param {{route: Route}} props */
function Current({route}) {
    const [loaded, setLoaded] = useState(/** @type {{screen: string, Show: any} | null} */ (null));
    const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
    useEffect(() => {
        const load = modules[route.screen];
        let isCurrent = true;
        setProblem(null);
        load?.().then(
            module => isCurrent && setLoaded({screen: route.screen, Show: module.default}),
            // The server has been updated: the files of this page exist no more.
            () => isCurrent && setProblem(new Problem(0, 'stale_page', '')));
        return () => {
            isCurrent = false;
        };
    }, [route.screen]);
    if (route.screen === 'missing' || (!route.workspace && route.screen !== 'account' && route.screen !== 'workspace'))
        return html`<${Missing} />`;
    if (problem)
        return html`<${ProblemNotice} problem=${problem} retry=${() => location.reload()} />`;
    return loaded?.screen === route.screen ? html`<${loaded.Show} route=${route} />` : html`<${Loading} />`;
}
