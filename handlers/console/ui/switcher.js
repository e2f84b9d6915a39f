// The workspaces of the user, each a link to its console. They are asked for when the list is opened first.
import {t} from '../lib/i18n.js';
import {address} from '../lib/router.js';
import {Loading} from './controls.js';
import {html, useEffect, useId, useRef, useState} from './html.js';
import {ProblemNotice} from './problem.js';
import {useLoad, useSession} from './session.js';

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

export function Switcher() {
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
