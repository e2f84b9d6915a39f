// Team: members, invites, requests to join.
import {t} from '../lib/i18n.js';
import {navigate} from '../lib/router.js';
import {site} from '../lib/site.js';
import {Avatar, Badge, Button, Empty, LinkButton, Loading, Notice, Time} from '../ui/controls.js';
import {Confirm} from '../ui/dialog.js';
import {PasswordField} from '../ui/form.js';
import {html, useState} from '../ui/html.js';
import {ProblemNotice, toast} from '../ui/messages.js';
import {Forbidden, Screen} from '../ui/screen.js';
import {useAddress, useCan, useList, useLoad, useSession} from '../ui/session.js';
import {ListTable} from '../ui/table.js';
import {InviteForm, Invites} from './invites.js';
import {Requests} from './requests.js';

/** @typedef {import('../lib/client.js').Row<'/team'>} Row */

/** @typedef {import('../lib/router.js').Route} Route */

export const roles = ['member', 'manager', 'admin'];

/** The query of the members that the address asks for. @param {Route} route */
const membersOf = route => ({status: 'active', q: route.query.get('q'), role: route.query.get('role')});

/** @typedef {import('../ui/screen.js').ApiCall} ApiCall */

/** @type {Record<string, {permission: string, Show: any, calls: (route: Route) => ApiCall[]}>} */
const parts = {
    members: {permission: 'team:read', Show: Members, calls: route => [
        {path: '/team', query: membersOf(route)},
        {method: 'PATCH', path: '/team/<user id>', body: {role: 'manager'}},
        {path: '/team/<user id>/removal-preview'}, {method: 'DELETE', path: '/team/<user id>'},
        {method: 'POST', path: '/team/transfer-ownership', body: {user_id: '<user id>', password: '…'}}]},
    invites: {permission: 'team:invite', Show: Invites, calls: () => [
        {path: '/team/invites'},
        {method: 'POST', path: '/team/invites', body: {invites: [{email: 'ada@example.com', role: 'member'}]}},
        {method: 'POST', path: '/team/invites/<invite id>/resend', body: {}},
        {method: 'DELETE', path: '/team/invites/<invite id>'}]},
    requests: {permission: 'team:approve', Show: Requests, calls: () => [
        {path: '/team/requests'}, {method: 'POST', path: '/team/requests/<user id>/approve', body: {}},
        {method: 'POST', path: '/team/requests/<user id>/reject'}]},
};

/** @param {{route: Route}} props */
export default function Team({route}) {
    const can = useCan();
    const of = useAddress();
    const {me} = useSession();
    const part = route.rest[0] ?? 'members';
    const known = Object.hasOwn(parts, part) ? parts[part] : parts.members;
    if (part === 'invite')
        return can('team:invite') ? html`<${InviteForm} />` :
            html`<${Forbidden} title=${t('invites.title')} permission="team:invite" />`;
    const tabs = [
        {href: of('team'), text: t('team.members'), current: part === 'members', permission: 'team:read'},
        {href: of('team', ['invites']), text: t('team.invites'), current: part === 'invites',
            permission: 'team:invite'},
        {href: of('team', ['requests']), text: t('team.requests'), current: part === 'requests',
         permission: 'team:approve'}].filter(tab => can(tab.permission));
    const {permission, Show, calls} = known;
    if (!can(permission))
        return html`<${Forbidden} title=${t('team.title')} permission=${permission} />`;
    return html`<${Screen} key=${part} title=${t('team.title')} intro=${t('team.intro', {name: me.workspace?.name})}
            tabs=${tabs} actions=${can('team:invite') && html`<${LinkButton} kind="primary" href=${of('team',
                ['invite'])}>
                ${t('team.invite')}<//>`}
            calls=${calls(route)}>
        <${Show} route=${route} />
    <//>`;
}

/** @param {{route: Route}} props */
function Members({route}) {
    const {client, me, user} = useSession();
    const can = useCan();
    const of = useAddress();
    const query = membersOf(route);
    const list = useList('/team', query);
    const [removed, setRemoved] = useState(/** @type {Row | null} */ (null));
    const [nextOwner, setNextOwner] = useState(/** @type {Row | null} */ (null));
    const isOwner = me.workspace?.owner_id === user.id;
    const search = (/** @type {Event} */ event) => {
        event.preventDefault();
        const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
        navigate(of('team', [], {q: String(form.get('q') ?? ''), role: String(form.get('role') ?? '')}),
            {replace: true});
    };
    const setRole = async (/** @type {Row} */ row, /** @type {HTMLSelectElement} */ control) => {
        const role = control.value;
        try {
            const changed = await client.patch(`/team/${row.user_id}`, {role});
            list.change(rows => rows.map(one => one.user_id === row.user_id ? {...one,
                role: changed.role ?? role} : one));
            toast(t('team.role_changed', {name: row.name ?? row.email, role: t(`role.${role}`)}));
        } catch (error) {
            control.value = row.role;
            toast.problem(error);
        }
    };
    const columns = [
        {title: t('team.member'), kind: 'main', cell: (/** @type {Row} */ row) => html`<span class="person">
            <${Avatar} name=${row.name ?? row.email} /><span>
            <span>${row.name ?? row.email} ${row.user_id === user.id && html`<${Badge}>${t('team.you')}<//>`}</span>
            ${row.name && html`<span class="muted">${row.email}</span>`}</span></span>`},
        {title: t('team.role'), cell: (/** @type {Row} */ row) => row.is_owner ? html`<${Badge} tone="accent">
            ${t('team.owner')}<//>` : can('team:roles') ? html`<select aria-label=${t('team.role_of',
                {name: row.name ?? row.email})} onChange=${(/** @type {any} */ event) => setRole(row,
                    event.currentTarget)}>
                ${roles.map(role => html`<option value=${role}
                    selected=${role === row.role}>${t(`role.${role}`)}</option>`)}
            </select>` : t(`role.${row.role}`)},
        {title: t('team.joined'), cell: (/** @type {Row} */ row) => html`<${Time} at=${row.joined_at} />`},
        {title: t('common.actions'), kind: 'actions', cell: (/** @type {Row} */ row) => html`
            ${isOwner && !row.is_owner && row.role === 'admin' && html`<${Button} small kind="quiet"
                label=${t('team.transfer_to', {name: row.name ?? row.email})} onClick=${() => setNextOwner(row)}>
                ${t('team.transfer')}<//>`}
            ${!row.is_owner && (can('team:remove') || row.user_id === user.id) && html`<${Button} small kind="quiet"
                label=${t(row.user_id === user.id ? 'team.leave' : 'team.remove_of', {name: row.name ?? row.email})}
                onClick=${() => setRemoved(row)}>${t(row.user_id === user.id ? 'team.leave' : 'team.remove')}<//>`}`},
    ];
    return html`
        <form class="filters" role="search" onSubmit=${search}>
            <input type="search" name="q" aria-label=${t('team.search')} placeholder=${t('team.search')}
                defaultValue=${query.q ?? ''} maxlength="100" />
            <select name="role" aria-label=${t('team.role')}>${['', ...roles].map(role => html`
                <option value=${role} selected=${role === (query.role ?? '')}>
                    ${role ? t(`role.${role}`) : t('team.any_role')}</option>`)}</select>
            <${Button} type="submit">${t('common.search')}<//>
        </form>
        <${ListTable} list=${list} caption=${t('team.members')} columns=${columns} id=${(/** @type {Row} */ row) =>
            row.user_id}
            empty=${html`<${Empty} title=${t('team.none')} />`} />
        ${removed && html`<${Removal} of=${removed} isSelf=${removed.user_id === user.id} onClose=${() =>
            setRemoved(null)}
            onDone=${() => {
                setRemoved(null);
                if (removed.user_id === user.id) {
                    location.assign(`${site}/console`);
                    return;
                }
                list.change(rows => rows.filter(one => one.user_id !== removed.user_id));
                toast(t('team.removed', {name: removed.name ?? removed.email}));
            }} />`}
        ${nextOwner && html`<${Transfer} to=${nextOwner} onClose=${() => setNextOwner(null)} onDone=${() => {
            setNextOwner(null);
            list.reload();
            toast(t('team.transferred', {name: nextOwner.name ?? nextOwner.email}));
        }} />`}`;
}

/** What ends with a membership, before it ends. @param {{of: Row, isSelf: boolean, onClose: () => void,
 *  onDone: () => void}} props */
function Removal({of: row, isSelf, onClose, onDone}) {
    const {client} = useSession();
    const name = row.name ?? row.email;
    const preview = useLoad(row.user_id, signal => client.get(`/team/${row.user_id}/removal-preview`, {limit: 20},
        signal));
    const keys = preview.data?.items ?? [];
    const count = preview.data?.total ?? keys.length;
    return html`<${Confirm} title=${isSelf ? t('team.leave_title') : t('team.remove_title', {name})}
            submit=${t(isSelf ? 'team.leave' : 'team.remove')} onClose=${onClose} onConfirm=${async () => {
                await client.delete(`/team/${row.user_id}`);
                onDone();
            }}>
        <p>${isSelf ? t('team.leave_hint') : t('team.remove_hint')}</p>
        ${preview.problem ? html`<${ProblemNotice} problem=${preview.problem} retry=${preview.reload} />` :
            !preview.data ? html`<${Loading} />` : html`
            <${Notice} tone=${count ? 'bad' : 'info'} title=${count ? t('team.keys_end',
                {count}) : t('team.no_keys_end')}>
                ${count > 0 && html`<ul class="plain-list">${keys.map(key => html`<li
                    key=${key.prefix}>
                    ${key.name} <code>${key.prefix}</code> · ${t('keys.last_used')}:
                    <${Time} at=${key.last_used_at} /></li>`)}</ul>`}<//>`}
    <//>`;
}

/** @param {{to: Row, onClose: () => void, onDone: () => void}} props */
function Transfer({to, onClose, onDone}) {
    const {client, refresh} = useSession();
    return html`<${Confirm} title=${t('team.transfer_title', {name: to.name ?? to.email})} submit=${t('team.transfer')}
            onClose=${onClose} onConfirm=${async (/** @type {Record<string, string>} */ {password}) => {
                await client.post('/team/transfer-ownership', {user_id: to.user_id, ...password && {password}});
                await refresh();
                onDone();
            }}>
        <p>${t('team.transfer_hint')}</p><${PasswordField} />
    <//>`;
}
