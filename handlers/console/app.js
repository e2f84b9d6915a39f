// The console: opens the session of the address's workspace, and shows the screen of the address.
import {followSession, signOut} from './lib/client.js';
import {t, use} from './lib/i18n.js';
import {Problem} from './lib/problem.js';
import {site} from './lib/site.js';
import {address, follow, navigate, parse, signInAddress} from './lib/router.js';
import {languagesOf, open} from './start.js';
import {Loading} from './ui/controls.js';
import {html, useCallback, useEffect, useRef, useState} from './ui/html.js';
import {Frame} from './ui/navigation.js';
import {ProblemNotice, Toasts} from './ui/messages.js';
import {Missing} from './ui/screen.js';
import {asProblem, SessionContext} from './ui/session.js';

/** @typedef {import('./lib/router.js').Route} Route */
/** @typedef {Awaited<ReturnType<typeof open>>} Opened */

/** The module of each screen, fetched when it is first shown. @type {Record<string, () => Promise<any>>} */
const modules = {
    overview: () => import('./screens/overview.js'),
    keys: () => import('./screens/keys.js'),
    team: () => import('./screens/team.js'),
    audit: () => import('./screens/audit.js'),
    workspace: () => import('./screens/workspace.js'),
    account: () => import('./screens/account.js'),
};

/** The screens that are there. @type {Map<string, any>} */
const screens = new Map();

/** Fetch the module of a screen. @param {string} screen */
export async function load(screen) {
    if (!screens.has(screen) && modules[screen])
        screens.set(screen, (await modules[screen]()).default);
}

/** Correct an address that does not name the workspace of its session. @param {Opened} opened */
function correctAddress({client: {workspace}}) {
    const route = parse(location.pathname, location.search);
    if (route.screen !== 'missing' && route.workspace !== workspace)
        navigate(address(workspace, workspace ? route.screen : 'account', route.rest), {replace: true});
}

/**
 * @param {{first: Promise<Opened>, opened: Opened | null}} props
 *     first: the session of the page's address; opened: the same, if it is there
 */
export function App({first, opened}) {
    const [session, setSession] = useState(() => {
        if (opened)
            correctAddress(opened);
        return opened;
    });
    const [route, setRoute] = useState(() => parse(location.pathname, location.search));
    const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
    const [round, setRound] = useState(0);
    const next = useRef(/** @type {Promise<Opened> | null} */ (opened ? null : first));
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
        begun.then(now => {
            if (!isCurrent)
                return;
            session?.client.close();
            setSession(now);
            correctAddress(now);
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
    const [, setLoaded] = useState('');
    const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
    useEffect(() => {
        let isCurrent = true;
        setProblem(null);
        load(route.screen).then(
            () => isCurrent && setLoaded(route.screen),
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
    const Show = screens.get(route.screen);
    return Show ? html`<${Show} route=${route} />` : html`<${Loading} />`;
}
