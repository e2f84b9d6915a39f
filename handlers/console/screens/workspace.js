// The workspace: its name, who may join, who may mint keys; the others, and a new one.
import {t} from '../lib/i18n.js';
import {address, navigate} from '../lib/router.js';
import {Badge, Empty, LinkButton, Loading, Notice, Time} from '../ui/controls.js';
import {Choice, Field, Form} from '../ui/form.js';
import {html, useState} from '../ui/html.js';
import {ProblemNotice, toast} from '../ui/messages.js';
import {Screen, Section} from '../ui/screen.js';
import {useAddress, useCan, useList, useLoad, useSession} from '../ui/session.js';
import {ListTable} from '../ui/table.js';

/** @typedef {import('../lib/client.js').Row<'/workspaces'>} Row */
/** @typedef {import('../lib/client.js').Schemas} Schemas */

/** @param {{route: import('../lib/router.js').Route}} props */
export default function Workspace({route}) {
    const of = useAddress();
    const {me} = useSession();
    const part = route.workspace === null || route.rest[0] === 'new' ? 'new' : route.rest[0] === 'all'
        ? 'all' : 'settings';
    if (part === 'new')
        return html`<${Create} />`;
    const tabs = [
        {href: of('workspace'), text: t('workspace.settings'), current: part === 'settings'},
        {href: of('workspace', ['all']), text: t('workspace.all'), current: part === 'all'}];
    const calls = part === 'all' ? [{path: '/workspaces'}, {method: 'POST', path: '/workspaces', body: {name: '…'}}] :
        [{path: '/workspace'}, {method: 'PATCH', path: '/workspace', body: {
            name: me.workspace?.name, join_policy: 'approval', join_domain: 'example.com',
            members_can_mint_keys: true}}];
    return html`<${Screen} key=${part} title=${t('workspace.title')} intro=${me.workspace?.name} tabs=${tabs}
        calls=${calls}
            actions=${html`<${LinkButton} href=${of('workspace', ['new'])}>${t('nav.new_workspace')}<//>`}>
        ${part === 'all' ? html`<${All} />` : html`<${Settings} />`}
    <//>`;
}

function Settings() {
    const {client, refresh} = useSession();
    const can = useCan();
    const loaded = useLoad('workspace', signal => client.get('/workspace', {}, signal));
    const [policy, setPolicy] = useState(/** @type {string | null} */ (null));
    if (loaded.problem)
        return html`<${ProblemNotice} problem=${loaded.problem} retry=${loaded.reload} />`;
    const settings = loaded.data;
    if (!settings)
        return html`<${Loading} />`;
    const may = can('settings:manage');
    const chosen = /** @type {typeof settings.join_policy} */ (policy ?? settings.join_policy);
    /** @param {(values: Record<string, any>) => Schemas['workspace_patch']} body */
    const save = body => async (/** @type {Record<string, any>} */ values) => {
        loaded.set(await client.patch('/workspace', body(values)));
        await refresh();
        toast(t('common.saved'));
    };
    if (!may)
        return html`<${Notice} title=${t('workspace.read_only')} />
            <${Section}><dl class="facts">
                <div><dt>${t('workspace.name')}</dt><dd>${settings.name}</dd></div>
                <div><dt>${t('workspace.joining')}</dt><dd>${t(`join_policy.${settings.join_policy}`)}</dd></div>
                <div><dt>${t('workspace.minting')}</dt><dd>${t(settings.members_can_mint_keys ? 'workspace.everyone' :
                    'workspace.admins')}</dd></div></dl><//>`;
    return html`
        <${Section} title=${t('workspace.name')}>
            <${Form} submit=${t('common.save')} onSubmit=${save(({name}) => ({name}))}>
                <${Field} name="name" label=${t('workspace.name')} value=${settings.name} required maxlength=${100} />
            <//><//>
        <${Section} title=${t('workspace.joining')} intro=${t('workspace.joining_hint')}>
            <${Form} submit=${t('common.save')} onSubmit=${save(values => ({
                join_policy: chosen, join_domain: values.join_domain || null}))}>
                <fieldset class="field"><legend>${t('workspace.policy')}</legend>
                    ${['closed', 'approval', 'open'].map(one => html`<${Choice} key=${one} controlled type="radio"
                        name="join_policy" value=${one} label=${t(`join_policy.${one}`)}
                            hint=${t(`join_policy.${one}_hint`)}
                        checked=${one === chosen} onChange=${() => setPolicy(one)} />`)}</fieldset>
                <${Field} name="join_domain" label=${t('workspace.domain')} value=${settings.join_domain}
                    placeholder="example.com" spellcheck=${false} hint=${t('workspace.domain_hint')} />
            <//>
            ${settings.join_domain && html`<p class="row"><code>${settings.join_domain}</code> <${Badge}
                tone=${settings.join_domain_verified ? 'good' : 'warning'}>${t(settings.join_domain_verified ?
                    'workspace.domain_counts' : 'workspace.domain_waits')}<//></p>`}
        <//>
        <${Section} title=${t('workspace.minting')} intro=${t('workspace.minting_hint')}>
            <${Form} submit=${t('common.save')} onSubmit=${save(({members_can_mint_keys: on}) =>
                ({members_can_mint_keys: on}))}>
                <${Choice} name="members_can_mint_keys" label=${t('workspace.members_mint')}
                    checked=${settings.members_can_mint_keys} />
            <//><//>`;
}

function All() {
    const {route} = useSession();
    const list = useList('/workspaces');
    const columns = [
        {title: t('workspace.name'), kind: 'main', cell: (/** @type {Row} */ row) => html`
            <a href=${address(row.id, 'overview')}>${row.name}</a>
            ${row.id === route.workspace && html` <${Badge} tone="accent">${t('workspace.current')}<//>`}`},
        {title: t('team.role'), cell: (/** @type {Row} */ row) => row.is_owner
            ? t('team.owner') : t(`role.${row.role}`)},
        {title: t('team.joined'), cell: (/** @type {Row} */ row) => html`<${Time} at=${row.joined_at} />`},
    ];
    return html`<${ListTable} list=${list} caption=${t('workspace.all')} columns=${columns}
        id=${(/** @type {Row} */ row) => row.id} empty=${html`<${Empty} title=${t('nav.no_workspace')} />`} />`;
}

function Create() {
    const {client, route} = useSession();
    const of = useAddress();
    return html`<${Screen} title=${t('workspace.create')} intro=${t('workspace.create_hint')}
            back=${route.workspace ? {href: of('workspace'), text: t('workspace.title')} : undefined}
            calls=${[{method: 'POST', path: '/workspaces', body: {name: '…'}}]}>
        <${Form} submit=${t('workspace.create')} onSubmit=${async (/** @type {Record<string, string>} */ {name}) => {
            const made = await client.post('/workspaces', {name});
            navigate(address(made.id, 'overview'));
            toast(t('workspace.created', {name}));
        }}><${Field} name="name" label=${t('workspace.name')} required maxlength=${100} /><//>
    <//>`;
}
