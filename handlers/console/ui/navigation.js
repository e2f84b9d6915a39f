// What surrounds every screen: brand, navigation, workspace, account, theme.
import {t} from '../lib/i18n.js';
import {address, screens} from '../lib/router.js';
import {brand, logo, setTheme, site, theme} from '../lib/site.js';
import {Avatar, Button, Loading} from './controls.js';
import {html, useEffect, useId, useRef, useState} from './html.js';
import {ProblemNotice} from './messages.js';
import {useCan, useLoad, useSession} from './session.js';

/** The permission that a screen needs, if any. @type {Record<string, string>} */
const needs = {keys: 'api_keys:read', team: 'team:read', audit: 'audit:read', workspace: 'team:read'};

/** Lines of 24 × 24 pictures, by screen. @type {Record<string, string>} */
const pictures = {
    overview: 'M4 19V5 M4 19h16 M9 15v-4 M14 15V8 M19 15v-6',
    keys: 'M15 3a6 6 0 1 1-5.2 9L3 19v2h3l1-1v-2h2v-2h2l1.2-1.2 M16.5 7.5h.01',
    team: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M2 21a7 7 0 0 1 14 0 M17 4a4 4 0 0 1 0 7 M19 15a6 6 0 0 1 3 6',
    audit: 'M8 6h13 M8 12h13 M8 18h13 M3 6h.01 M3 12h.01 M3 18h.01',
    workspace: 'M3 21h18 M5 21V5l7-2v18 M12 8l7 2v11 M8 9h1 M8 13h1 M15 14h1',
    account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M4 21a8 8 0 0 1 16 0',
};

/** @param {{of: string}} props */
const Picture = ({of}) => html`<svg class="picture" viewBox="0 0 24 24" aria-hidden="true"><path
    d=${pictures[of]} /></svg>`;

function Themes() {
    const [chosen, setChosen] = useState(theme);
    const id = useId();
    const change = (/** @type {any} */ event) => {
        setTheme(event.currentTarget.value);
        setChosen(theme());
    };
    return html`<div class="themes"><label for=${id}>${t('nav.theme')}</label>
        <select id=${id} onChange=${change}>${['system', 'light', 'dark'].map(one => html`
            <option value=${one} selected=${one === chosen}>${t(`nav.theme_${one}`)}</option>`)}</select></div>`;
}

/** From this number of workspaces on, the list has a field to search in it. */
const many = 8;

/** Closes the list by Escape, and by a click outside of it. @param {{current: HTMLDetailsElement | null}} list */
function useClosing(list) {
    useEffect(() => {
        const close = (/** @type {Event} */ event) => {
            const element = list.current;
            if (!element?.open)
                return;
            const isKey = event instanceof KeyboardEvent;
            if (isKey ? event.key !== 'Escape' : element.contains(/** @type {Node} */ (event.target)))
                return;
            element.open = false;
            if (isKey)
                element.querySelector('summary')?.focus();
        };
        addEventListener('keydown', close);
        addEventListener('pointerdown', close);
        return () => {
            removeEventListener('keydown', close);
            removeEventListener('pointerdown', close);
        };
    }, []);
}

/** The workspaces of the user, each a link to its console. They are asked for when the list is opened first. */
function Switcher() {
    const {client, me, route} = useSession();
    const id = useId();
    const [isAsked, setAsked] = useState(false);
    const [wanted, setWanted] = useState('');
    const loaded = useLoad(isAsked ? 'workspaces' : null, signal => client.get('/workspaces', {limit: 200}, signal));
    const details = useRef(/** @type {HTMLDetailsElement | null} */ (null));
    useClosing(details);
    /** @type {{id: string, name: string}[]} */
    const all = loaded.data?.items ?? [];
    const shown = all.filter(one => one.name.toLowerCase().includes(wanted.trim().toLowerCase()));
    const link = (/** @type {string} */ href, /** @type {string} */ text, isCurrent = false) => html`<a href=${href}
        aria-current=${isCurrent ? 'true' : undefined}>${text}</a>`;
    return html`<nav aria-label=${t('nav.workspaces')}>
        <details class="switcher" ref=${details} onToggle=${() => setAsked(true)}>
        <summary aria-describedby=${id}><span class="hidden" id=${id}>${t('nav.switch_hint')}</span>
            <span class="switcher-name">${me.workspace?.name ?? t('nav.no_workspace')}</span></summary>
        <div class="switcher-list">
            ${all.length >= many && html`<input type="search" aria-label=${t('nav.find_workspace')}
                placeholder=${t('nav.find_workspace')} value=${wanted} autocomplete="off"
                onInput=${(/** @type {any} */ event) => setWanted(event.currentTarget.value)} />
                <p class="hidden" role="status">${wanted && t('common.found', {count: shown.length})}</p>`}
            ${loaded.problem ? html`<${ProblemNotice} problem=${loaded.problem} retry=${loaded.reload} />` :
                isAsked && !loaded.data && html`<${Loading} />`}
            <ul>${shown.map(one => html`<li key=${one.id}>${link(address(one.id, 'overview'), one.name,
                one.id === route.workspace)}</li>`)}
                ${loaded.data?.next_cursor && html`<li>${link(address(route.workspace, 'workspace', ['all']),
                    t('workspace.all'))}</li>`}
                <li class="separated">${link(address(route.workspace, 'workspace', ['new']),
                    t('nav.new_workspace'))}</li>
            </ul>
        </div>
    </details></nav>`;
}

/** @param {{onSignOut: () => Promise<void>, children?: any}} props */
export function Frame({onSignOut, children}) {
    const {me, user, route} = useSession();
    const can = useCan();
    const [isOpen, setOpen] = useState(false);
    useEffect(() => setOpen(false), [route]);
    const listed = screens.filter(one => one === 'account' || (route.workspace && (!needs[one] || can(needs[one]))));
    return html`<div class="frame">
        <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => {
            event.preventDefault();
            document.querySelector('h1')?.focus();
        }}>${t('nav.skip')}</a>
        <header class="bar">
            <a class="brand" href=${address(route.workspace, route.workspace ? 'overview' : 'account')}>
                ${logo ? html`<img class="mark" src=${logo} alt="" />` : html`
                <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M12 2a6 6 0 0 0-6 6v3H4v11h16V11h-2V8a6 6 0 0 0-6-6zm-3 9V8a3 3 0 0 1 6 0v3z" /></svg>`}
                <span>${brand}</span></a>
            <button class="button plain menu" type="button" aria-expanded=${isOpen ? 'true' : 'false'}
                aria-controls="navigation" onClick=${() => setOpen(!isOpen)}>${t('nav.menu')}</button>
        </header>
        <div class=${isOpen ? 'side open' : 'side'} id="navigation">
            <${Switcher} />
            <nav aria-label=${t('nav.label')}><ul>${listed.map(one => html`<li key=${one}>
                <a href=${address(route.workspace, one)} aria-current=${one === route.screen ? 'page' : undefined}>
                    <${Picture} of=${one} />${t(`nav.${one}`)}</a></li>`)}
                <li><a href=${`${site}/docs`}><svg class="picture" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M8 7l-5 5 5 5 M16 7l5 5-5 5 M13.5 5l-3 14" /></svg>${t('nav.docs')}</a></li></ul></nav>
            <section class="side-end" aria-label=${t('nav.you')}>
                <${Themes} />
                <div class="who"><${Avatar} name=${user.name ?? user.email} url=${user.avatar_url} />
                    <div><strong>${user.name ?? user.email}</strong>
                        <span class="muted">${me.role ? t(`role.${me.role}`) : user.email}</span></div></div>
                <${Button} small onClick=${onSignOut}>${t('nav.sign_out')}<//>
            </section>
        </div>
        <main id="main">${children}</main>
    </div>`;
}
