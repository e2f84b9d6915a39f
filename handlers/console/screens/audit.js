// The audit trail: who did what, when, from where, and why it was refused.
import {date, dateTime, device} from '../lib/format.js';
import {has, t} from '../lib/i18n.js';
import {navigate} from '../lib/router.js';
import {Badge, Button, Empty, LinkButton, Notice, Time} from '../ui/controls.js';
import {html, useEffect, useId, useRef, useState} from '../ui/html.js';
import {Forbidden, Screen} from '../ui/screen.js';
import {useAddress, useCan, useList, useLoad, useSession} from '../ui/session.js';
import {ListTable} from '../ui/table.js';

/** @typedef {import('../lib/client.js').Row<'/audit'>} Row */
/** @typedef {import('../lib/client.js').Row<'/team'> & {user_id: string}} Person */

/** What an event says besides, as the console reads it. @param {Row} row */
const detailsOf = row =>
    /** @type {{count?: number, required?: string} & Record<string, unknown>} */ (row.details ?? {});

/** How often it happened. @param {Row} row */
const timesOf = row => detailsOf(row).count ?? 1;

/** The actions, as the API documents them. */
export const actions = [
    'access.denied', 'login.failed',
    'api_key.mint', 'api_key.update', 'api_key.rotate', 'api_key.revoke', 'api_key.report', 'api_key.claim',
    'team.join', 'team.set_role', 'team.remove', 'team.leave', 'invite.create', 'invite.resend', 'invite.cancel',
    'request.approve', 'request.reject', 'workspace.create', 'workspace.update', 'workspace.transfer',
    'session.open', 'session.switch', 'session.logout', 'session.end', 'session.end_others', 'session.replace',
    'session.revoke', 'user.signup', 'user.verify_email', 'user.disown_email', 'user.change_email',
    'user.confirm_email', 'user.disable', 'user.restore', 'password.change', 'password.reset', 'oauth.link',
    'oauth.unlink',
];

/** @param {string} action */
const nameOf = action => {
    const name = `action.${action.replace('.', '_')}`;
    return has(name) ? t(name) : action;
};

/** @param {string} action */
const isRefusal = action => action === 'access.denied' || action === 'login.failed';

/** @param {{route: import('../lib/router.js').Route}} props */
export default function Audit({route}) {
    const {client} = useSession();
    const can = useCan();
    const of = useAddress();
    const [open, setOpen] = useState(/** @type {string | null} */ (null));
    const given = Object.fromEntries(['action', 'actor', 'target', 'since', 'until']
        .map(name => [name, route.query.get(name)]));
    const instant = (/** @type {string | null} */ day, /** @type {number} */ more) => {
        const at = day ? Date.parse(`${day}T00:00:00`) : NaN;
        return Number.isNaN(at) ? null : new Date(at + more * 86_400_000).toISOString();
    };
    const query = {action: given.action, actor: given.actor, target: given.target, since: instant(given.since, 0),
                   until: instant(given.until, 1)};
    const isAllowed = can('audit:read');
    const list = useList(isAllowed ? '/audit' : null, query);
    const team = useLoad(isAllowed ? 'team' : null, signal => client.rows('/team', {status: 'active'}, signal));
    if (!isAllowed)
        return html`<${Forbidden} title=${t('audit.title')} permission="audit:read" />`;
    const people = /** @type {Person[]} */ (team.data?.filter(one => one.user_id !== null) ?? []);
    const person = (/** @type {string | null} */ id) => {
        const known = people.find(one => one.user_id === id);
        return known ? known.name ?? known.email : id;
    };
    const columns = [
        {title: t('audit.what'), kind: 'main', cell: (/** @type {Row} */ row) => html`
            <span>${nameOf(row.action)}</span> ${isRefusal(row.action) && html`<${Badge}
                tone="bad">${t('audit.refused')}<//>`}
            ${timesOf(row) > 1 && html` <${Badge}>× ${timesOf(row)}<//>`}`},
        {title: t('audit.who'), cell: (/** @type {Row} */ row) => row.actor.user_id ? person(row.actor.user_id) :
            row.actor.credential ? t('audit.workspace_key') : html`<span class="muted">${t('audit.unknown')}</span>`},
        {title: t('audit.target'), cell: (/** @type {Row} */ row) => html`<span
            class="target">${person(row.target) ?? '–'}</span>`},
        {title: t('audit.when'), cell: (/** @type {Row} */ row) => html`<${Time} at=${row.at} />`},
        {title: t('common.actions'), kind: 'actions', cell: (/** @type {Row} */ row) => html`<${Button} small
            kind="quiet"
            label=${t('audit.details_of', {name: nameOf(row.action)})}
            onClick=${() => setOpen(open === row.id ? null : row.id)}>${t('audit.details')}<//>`},
    ];
    const shown = list.rows?.find((/** @type {Row} */ row) => row.id === open);
    return html`<${Screen} title=${t('audit.title')} intro=${t('audit.intro')} calls=${[{path: '/audit', query},
            {path: '/team', query: {status: 'active'}}]}>
        <${Filters} given=${given} people=${people} />
        <div class=${shown ? 'with-details' : ''}>
            <div><${ListTable} list=${list} caption=${t('audit.title')} columns=${columns}
                id=${(/** @type {Row} */ row) => row.id} empty=${html`<${Empty} title=${t('audit.none')}
                    action=${route.query.size > 0 && html`<${LinkButton}
                        href=${of('audit')}>${t('audit.all')}<//>`} />`} />
            </div>
            ${shown && html`<${Event} of=${shown} person=${person} onClose=${() => setOpen(null)} />`}
        </div>
    <//>`;
}

/** @param {{given: Record<string, string | null>, people: Person[]}} props */
function Filters({given, people}) {
    const of = useAddress();
    const id = useId();
    const form = useRef(/** @type {HTMLFormElement | null} */ (null));
    // The form stays where it is, with the focus, when the address changes: also by a link or the history.
    const show = (/** @type {string} */ name) => {
        const control = form.current?.elements.namedItem(name);
        if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement)
            control.value = given[name] ?? '';
    };
    useEffect(() => Object.keys(given).forEach(show), [JSON.stringify(given)]);
    // The people come later than the form.
    useEffect(() => show('actor'), [people.length]);
    const apply = (/** @type {Event} */ event) => {
        event.preventDefault();
        const values = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
        navigate(of('audit', [], /** @type {any} */ (Object.fromEntries(values))), {replace: true});
    };
    const option = (/** @type {string} */ value, /** @type {string} */ text) =>
        html`<option value=${value}>${text}</option>`;
    const labelled = (/** @type {string} */ name, /** @type {any} */ control) =>
        html`<div class="filter"><label for=${`${id}-${name}`}>${t(`audit.${name}`)}</label>${control}</div>`;
    return html`<form ref=${form} class="filters grid" role="search" onSubmit=${apply}>
        ${labelled('action', html`<select id=${`${id}-action`} name="action">${option('',
            t('audit.any_action'))}
            ${actions.map(one => option(one, nameOf(one)))}</select>`)}
        ${labelled('actor', html`<select id=${`${id}-actor`} name="actor">${option('', t('audit.anyone'))}
            ${given.actor && !people.some(one => one.user_id === given.actor) && option(given.actor, given.actor)}
            ${people.map(one => option(one.user_id, one.name ?? one.email))}</select>`)}
        ${labelled('target', html`<input id=${`${id}-target`} name="target"
            autocomplete="off" maxlength="128" placeholder=${t('audit.target_hint')} />`)}
        ${labelled('since', html`<input id=${`${id}-since`} name="since" type="date" />`)}
        ${labelled('until', html`<input id=${`${id}-until`} name="until" type="date" />`)}
        <${Button} type="submit">${t('common.filter')}<//>
    </form>`;
}

/** Why an event was refused, in words. @param {Row} row */
function reasonOf(row) {
    if (row.action === 'login.failed')
        return t('audit.why_login');
    const {required} = detailsOf(row);
    return required ? t('audit.why_permission', {permission: required}) : t('audit.why_unknown');
}

/** @param {{of: Row, person: (id: string | null) => string | null, onClose: () => void}} props */
function Event({of: row, person, onClose}) {
    const heading = useRef(/** @type {HTMLElement | null} */ (null));
    // The details may be far from the button that opened them.
    useEffect(() => {
        const before = document.activeElement;
        heading.current?.focus();
        return () => before instanceof HTMLElement && before.isConnected ? before.focus() : undefined;
    }, [row.id]);
    const facts = [
        ['audit.when', dateTime(row.at)], ['audit.action', html`<code>${row.action}</code>`],
        ['audit.who', person(row.actor.user_id) ?? '–'],
        ['audit.credential', row.actor.credential && html`<code>${row.actor.credential}</code>`],
        ['audit.target', row.target && html`<code>${row.target}</code>`],
        ['security.ip', row.ip && html`<code>${row.ip}</code>`],
        ['security.device', row.user_agent && html`<span title=${row.user_agent}>${device(row.user_agent)}</span>`],
        ['audit.request', row.request_id && html`<code>${row.request_id}</code>`]];
    return html`<aside class="details" aria-label=${t('audit.details')}>
        <div class="section-head"><h2 tabindex="-1" ref=${heading}>${nameOf(row.action)}</h2>
            <${Button} small onClick=${onClose}>${t('common.close')}<//></div>
        ${isRefusal(row.action) && html`<${Notice} tone="bad" title=${t('audit.why')}><p>${reasonOf(row)}</p>
            ${timesOf(row) > 1 && html`<p>${t('audit.times', {count: timesOf(row),
                date: date(row.at)})}</p>`}<//>`}
        <dl class="facts tight">${facts.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}>
            <dt>${t(name)}</dt><dd>${value}</dd></div>`)}</dl>
        ${Object.keys(detailsOf(row)).length > 0 && html`<pre tabindex="0"
            aria-label=${t('audit.raw')}><code>
            ${JSON.stringify(row.details, null, 2)}</code></pre>`}
    </aside>`;
}
