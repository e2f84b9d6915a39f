// Invites: a batch from pasted addresses, each with its role, and those that are pending.
import {addressesIn} from '../lib/format.js';
import {t} from '../lib/i18n.js';
import {Problem} from '../lib/problem.js';
import {navigate} from '../lib/router.js';
import {Badge, Button, Empty, LinkButton, Notice, Time} from '../ui/controls.js';
import {html, useId, useState} from '../ui/html.js';
import {describe, toast} from '../ui/messages.js';
import {Screen, Section} from '../ui/screen.js';
import {useAddress, useCan, useList, useSession} from '../ui/session.js';
import {ListTable, Table} from '../ui/table.js';

/** @typedef {import('../lib/client.js').Row<'/team/invites'>} Row */

/** @typedef {{email: string, role: string, result?: string}} Draft */

/** The largest batch of the API. */
const most = 100;

/** @type {Record<string, 'good' | 'warning' | 'bad'>} */
const tones = {created: 'good', already_member: 'warning', already_invited: 'warning', forbidden_role: 'bad'};

export function InviteForm() {
    const {client, user} = useSession();
    const can = useCan();
    const of = useAddress();
    const id = useId();
    const [drafts, setDrafts] = useState(/** @type {Draft[]} */ ([]));
    const [text, setText] = useState('');
    const [role, setRole] = useState('member');
    const [problem, setProblem] = useState(/** @type {unknown} */ (null));
    const [results, setResults] = useState(/** @type {Draft[] | null} */ (null));
    // A manager cannot invite admins.
    const allowed = can('team:roles') ? ['member', 'manager', 'admin'] : ['member', 'manager'];
    const add = () => {
        const known = new Set(drafts.map(one => one.email.toLowerCase()));
        const found = addressesIn(text).filter(one => !known.has(one.toLowerCase()));
        setDrafts([...drafts, ...found.map(email => ({email, role}))].slice(0, most));
        setText('');
        toast(t('invites.added', {count: found.length}));
    };
    const send = async () => {
        setProblem(null);
        const invites = drafts.map(({email, role: its}) => ({email, role: its}));
        try {
            setResults((await client.post('/team/invites', {invites})).items);
        } catch (error) {
            if (error instanceof Problem && Array.isArray(error.body.items))
                setResults(/** @type {Draft[]} */ (error.body.items));
            else
                setProblem(error);
        }
    };
    const rows = [{title: t('invites.email'), kind: 'main', cell: (/** @type {Draft} */ row) => row.email}];
    const back = {href: of('team', ['invites']), text: t('team.invites')};
    const frame = {title: t('invites.title'), intro: t('invites.intro'), back, calls: [
        {method: 'POST', path: '/team/invites', body: {invites: drafts.length ? drafts : [{email: '…',
            role: 'member'}]}}]};
    if (results)
        return html`<${Screen} ...${frame}>
            <div role="status"><${Table} caption=${t('invites.results')} showCaption rows=${results}
                id=${(/** @type {Draft} */ row) => row.email} columns=${[...rows,
                {title: t('team.role'), cell: (/** @type {Draft} */ row) => t(`role.${row.role}`)},
                {title: t('invites.result'), cell: (/** @type {Draft} */ row) => html`
                    <${Badge} tone=${tones[row.result ?? '']}>${t(`invite_result.${row.result}`)}<//>`}]} /></div>
            <p class="row"><${LinkButton} kind="primary" href=${back.href}>${t('common.done')}<//>
                <${Button} onClick=${() => {
                    setDrafts([]);
                    setResults(null);
                }}>${t('invites.more')}<//></p><//>`;
    const wrong = problem instanceof Problem ? problem.fields : [];
    return html`<${Screen} ...${frame}>
        ${!user.email_verified && html`<${Notice} tone="warning" title=${t('error.email_not_verified')}>
            <p>${t('invites.verify_first')}</p><//>`}
        <${Section}>
            <div class="field"><label for=${`${id}-text`}>${t('invites.addresses')}</label>
                <textarea id=${`${id}-text`} rows="4" value=${text} autocomplete="off" spellcheck=${false}
                    aria-describedby=${`${id}-hint`} onInput=${(/** @type {any} */ e) =>
                        setText(e.currentTarget.value)} />
                <p class="hint" id=${`${id}-hint`}>${t('invites.addresses_hint')}</p></div>
            <p class="row"><label class="inline-label" for=${`${id}-role`}>${t('invites.role')}</label>
                <select id=${`${id}-role`} onChange=${(/** @type {any} */ event) => setRole(event.currentTarget.value)}>
                    ${allowed.map(one => html`<option value=${one}
                        selected=${one === role}>${t(`role.${one}`)}</option>`)}
                </select>
                <${Button} onClick=${add} disabled=${!addressesIn(text).length}>${t('invites.add')}<//></p>
        <//>
        ${problem && html`<div role="alert"><${Notice} tone="bad" title=${wrong.length ? t('invites.wrong') :
            describe(problem)}>${wrong.map(one =>
                html`<p>${drafts[Number(one.loc[2])]?.email}: ${one.msg}</p>`)}<//></div>`}
        ${drafts.length > 0 && html`<${Table} caption=${t('invites.list', {count: drafts.length})} showCaption
            rows=${drafts}
            id=${(/** @type {Draft} */ row) => row.email} columns=${[...rows,
            {title: t('team.role'), cell: (/** @type {Draft} */ row) => html`<select aria-label=${t('team.role_of',
                {name: row.email})} onChange=${(/** @type {any} */ event) => setDrafts(drafts.map(one =>
                    one === row ? {...one, role: event.currentTarget.value} : one))}>
                ${allowed.map(one => html`<option value=${one}
                    selected=${one === row.role}>${t(`role.${one}`)}</option>`)}
                </select>`},
            {title: t('common.actions'), kind: 'actions', cell: (/** @type {Draft} */ row) => html`
                <${Button} small kind="quiet" label=${t('invites.drop_of', {name: row.email})} onClick=${() =>
                    setDrafts(drafts.filter(one => one !== row))}>${t('invites.drop')}<//>`}]} />`}
        <p class="row"><${Button} kind="primary" onClick=${send} disabled=${!drafts.length}>
            ${t('invites.send', {count: drafts.length})}<//>
            <${Button} onClick=${() => navigate(back.href)}>${t('common.cancel')}<//></p>
    <//>`;
}

export function Invites() {
    const {client} = useSession();
    const of = useAddress();
    const list = useList('/team/invites');
    const resend = async (/** @type {Row} */ row) => {
        await client.post(`/team/invites/${row.id}/resend`, {});
        toast(t('invites.resent', {email: row.email}));
        list.reload();
    };
    const cancel = async (/** @type {Row} */ row) => {
        await client.delete(`/team/invites/${row.id}`);
        list.change(rows => rows.filter(one => one.id !== row.id));
        toast(t('invites.cancelled', {email: row.email}));
    };
    const columns = [
        {title: t('invites.email'), kind: 'main', cell: (/** @type {Row} */ row) => row.email},
        {title: t('team.role'), cell: (/** @type {Row} */ row) => t(`role.${row.role}`)},
        {title: t('keys.state'), cell: (/** @type {Row} */ row) => html`
            <${Badge} tone=${row.status === 'expired' ? 'neutral' : 'accent'}>${t(`invite_status.${row.status}`)}<//>`},
        {title: t('invites.sent'), cell: (/** @type {Row} */ row) => html`<${Time} at=${row.sent_at} />`},
        {title: t('keys.expires'), cell: (/** @type {Row} */ row) => html`<${Time} at=${row.expires_at} />`},
        {title: t('common.actions'), kind: 'actions', cell: (/** @type {Row} */ row) => html`
            <${Button} small kind="quiet" label=${t('invites.resend_of', {name: row.email})} onClick=${() =>
                resend(row)}>
                ${t('invites.resend')}<//>
            <${Button} small kind="quiet" label=${t('invites.cancel_of', {name: row.email})} onClick=${() =>
                cancel(row)}>
                ${t('invites.cancel')}<//>`},
    ];
    return html`<${ListTable} list=${list} caption=${t('team.invites')} columns=${columns}
        id=${(/** @type {Row} */ row) => row.id} empty=${html`<${Empty} title=${t('invites.none')}
            action=${html`<${LinkButton} kind="primary" href=${of('team', ['invite'])}>${t('team.invite')}<//>`}>
            ${t('invites.none_hint')}<//>`} />`;
}
