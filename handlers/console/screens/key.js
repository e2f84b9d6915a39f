// One key: its facts, changes, rotation, revocation.
import {date, dateTime} from '../lib/format.js';
import {t} from '../lib/i18n.js';
import {lastDays, stateOf} from '../lib/keys.js';
import {Problem} from '../lib/problem.js';
import {navigate} from '../lib/router.js';
import {Button, CopyButton, Loading, Notice, Time} from '../ui/controls.js';
import {Confirm, Dialog} from '../ui/dialog.js';
import {ExpiryFields, expiryOf} from '../ui/expiry.js';
import {Field, Form, Select} from '../ui/form.js';
import {html, useState} from '../ui/html.js';
import {ProblemNotice, toast} from '../ui/messages.js';
import {requireScopes, ScopePicker} from '../ui/scopes.js';
import {Secret} from '../ui/secret.js';
import {Screen, Section} from '../ui/screen.js';
import {useAddress, useCan, useLoad, useSession} from '../ui/session.js';
import {KeyState} from './keys.js';

/** @typedef {import('../lib/client.js').Schemas} Schemas */

/** The path of a key. @param {string} prefix */
const pathOf = prefix => /** @type {const} */ (`/api-keys/${encodeURIComponent(prefix)}`);

/** @typedef {ReturnType<typeof pathOf>} Path */

/** How long the replaced key may live on, in seconds. */
const graces = [0, 3600, 86_400, 604_800];

/** The query of the usage of the last seven days. */
function weekByKey() {
    const days = lastDays(7, Date.now());
    return {from: days[0], to: days.at(-1), by: 'key'};
}

/** @param {{prefix: string}} props */
export function Key({prefix}) {
    const {client, me} = useSession();
    const can = useCan();
    const of = useAddress();
    const path = pathOf(prefix);
    const loaded = useLoad(path, signal => client.get(path, {}, signal));
    const [open, setOpen] = useState(/** @type {'edit' | 'rotate' | 'revoke' | null} */ (null));
    const key = loaded.data;
    const back = {href: of('keys'), text: t('keys.title')};
    const calls = [{path}, {method: 'PATCH', path, body: {name: key?.name ?? '…'}},
                   {method: 'POST', path: `${path}/rotate`, body: {grace_seconds: 86_400}},
                   {path: '/usage', query: weekByKey()}, {method: 'DELETE', path}];
    // A failed reload must not take away a dialog that shows the secret of a successor.
    if (loaded.problem && !key)
        return html`<${Screen} title=${prefix} back=${back}>
            <${ProblemNotice} problem=${loaded.problem} retry=${loaded.reload} /><//>`;
    if (!key)
        return html`<${Screen} title=${prefix} back=${back}><${Loading} /><//>`;
    const close = () => setOpen(null);
    const state = stateOf(key);
    const isLive = state === 'active' || state === 'expiring';
    const actions = can('api_keys:write') && isLive && html`
        <${Button} onClick=${() => setOpen('edit')}>${t('keys.edit')}<//>
        <${Button} onClick=${() => setOpen('rotate')}>${t('keys.rotate')}<//>
        <${Button} kind="danger" onClick=${() => setOpen('revoke')}>${t('keys.revoke')}<//>`;
    return html`<${Screen} title=${key.name} back=${back} actions=${actions} calls=${calls}>
        ${loaded.problem && html`<${ProblemNotice} problem=${loaded.problem} retry=${loaded.reload} />`}
        <${Section}>
            <dl class="facts">
                <div><dt>${t('keys.state')}</dt><dd><${KeyState} of=${key} />
                    ${key.revoked_at && html` <span class="muted">${dateTime(key.revoked_at)}</span>`}</dd></div>
                <div><dt>${t('keys.prefix')}</dt><dd><code>tnx_${key.prefix}_…</code>
                    <${CopyButton} kind="quiet" text=${key.prefix} label=${t('keys.copy_prefix')} /></dd></div>
                <div><dt>${t('keys.scopes')}</dt><dd class="scopes">${key.scopes.includes('*') ? t('scopes.all') :
                    key.scopes.map(one => html`<code key=${one}>${one}</code> `)}</dd></div>
                <div><dt>${t('keys.owner')}</dt><dd>${t(`keys.owner_${key.owner}`)}</dd></div>
                <div><dt>${t('keys.last_used')}</dt><dd><${Time} at=${key.last_used_at} /></dd></div>
                <div><dt>${t('keys.created')}</dt><dd><${Time} at=${key.created_at} /></dd></div>
                <div><dt>${t('keys.expires')}</dt><dd>${key.expires_at ? html`${dateTime(key.expires_at)}${' '}
                    <span class="muted">(<${Time} at=${key.expires_at} />)</span>` : t('common.never')}</dd></div>
            </dl>
        <//>
        ${!isLive && html`<${Notice} title=${t(`keys.ended_${state}`)}><p>${t('keys.ended_hint')}</p><//>`}
        ${open === 'edit' && html`<${Edit} path=${path} of=${key} permissions=${me.permissions} onClose=${close}
            onDone=${(/** @type {Schemas['api_key_row']} */ changed) => {
                loaded.set(changed);
                close();
                toast(t('common.saved'));
            }} />`}
        ${open === 'rotate' && html`<${Rotate} path=${path} of=${key} onClose=${close} onDone=${loaded.reload} />`}
        ${open === 'revoke' && html`<${Revoke} path=${path} of=${key} onClose=${close} onDone=${() => {
            close();
            loaded.reload();
            toast(t('keys.revoked_done', {name: key.name}));
        }} />`}
    <//>`;
}

/** @param {{path: Path, of: Schemas['api_key_row'], permissions: string[], onClose: () => void,
 *      onDone: (key: Schemas['api_key_row']) => void}} props */
function Edit({path, of: key, permissions, onClose, onDone}) {
    const {client} = useSession();
    const [scopes, setScopes] = useState(key.scopes);
    const save = async (/** @type {Record<string, any>} */ values) => {
        requireScopes(scopes);
        /** @type {Record<string, any>} */
        const body = {name: values.name, scopes};
        if (values.lifetime !== 'kept')
            body.expires_at = expiryOf(values);
        onDone(await client.patch(path, body));
    };
    return html`<${Dialog} title=${t('keys.edit_title', {name: key.name})} onClose=${onClose} wide>
        <${Form} submit=${t('common.save')} onSubmit=${save} onCancel=${onClose}>
            <${Field} name="name" label=${t('keys.name')} value=${key.name} required maxlength=${100} />
            <${ScopePicker} permissions=${permissions} value=${scopes} onChange=${setScopes} />
            <${KeptExpiry} of=${key} />
        <//><//>`;
}

/** @param {{of: Schemas['api_key_row']}} props */
function KeptExpiry({of: key}) {
    const [changes, setChanges] = useState(false);
    const kept = key.expires_at ? t('keys.keep_expiry', {date: date(key.expires_at)}) : t('keys.keep_no_expiry');
    return changes ? html`<${ExpiryFields} />` : html`<div class="field"><span class="label">${t('expiry.label')}</span>
        <input type="hidden" name="lifetime" value="kept" /><p class="row"><span>${kept}</span>
        <${Button} small onClick=${() => setChanges(true)}>${t('keys.change_expiry')}<//></p></div>`;
}

/** @param {{path: Path, of: Schemas['api_key_row'], onClose: () => void, onDone: () => void}} props */
function Rotate({path, of: key, onClose, onDone}) {
    const {client} = useSession();
    const of = useAddress();
    const [minted, setMinted] = useState(/** @type {Schemas['api_key_created'] | null} */ (null));
    const [conflict, setConflict] = useState(/** @type {string | null} */ (null));
    const rotate = async (/** @type {Record<string, any>} */ values) => {
        try {
            setMinted(await client.post(`${path}/rotate`, {grace_seconds: Number(values.grace_seconds)}));
            onDone();
        } catch (error) {
            const successor = error instanceof Problem && error.body.successor_prefix;
            if (typeof successor === 'string')
                setConflict(successor);
            throw error;
        }
    };
    if (minted)
        return html`<${Dialog} title=${t('keys.rotated', {name: minted.name})} onClose=${onClose} wide locked>
            <${Secret} secret=${minted.secret} onStored=${() => {
                onClose();
                navigate(of('keys', [minted.prefix]));
            }} /><//>`;
    return html`<${Confirm} title=${t('keys.rotate_title', {name: key.name})} submit=${t('keys.rotate')} danger=${false}
            onConfirm=${rotate} onClose=${onClose}>
        <p>${t('keys.rotate_hint')}</p>
        <${Select} name="grace_seconds" label=${t('keys.grace')} hint=${t('keys.grace_hint')} value="86400"
            options=${graces.map(one => [String(one), t(`keys.grace_${one}`)])} />
        ${conflict && html`<p><a href=${of('keys',
            [conflict])}>${t('keys.successor')} <code>${conflict}</code></a></p>`}
    <//>`;
}

/** @param {{path: Path, of: Schemas['api_key_row'], onClose: () => void, onDone: () => void}} props */
function Revoke({path, of: key, onClose, onDone}) {
    const {client} = useSession();
    const usage = useLoad('usage', signal => client.get('/usage', {...weekByKey(), limit: 200}, signal));
    const used = usage.data?.items.find(row => row.key?.id === key.id);
    const checks = used?.checks ?? 0;
    const isInUse = checks > 0 || (key.last_used_at && Date.now() - Date.parse(key.last_used_at) < 7 * 86_400_000);
    return html`<${Confirm} title=${t('keys.revoke_title', {name: key.name})} submit=${t('keys.revoke')}
            onClose=${onClose} onConfirm=${async () => {
                await client.delete(path);
                onDone();
            }}>
        <${Notice} tone=${isInUse ? 'bad' : 'info'} title=${isInUse ? t('keys.breaks') : t('keys.breaks_nothing')}>
            <dl class="facts tight">
                <div><dt>${t('keys.last_used')}</dt><dd><${Time} at=${key.last_used_at} /></dd></div>
                <div><dt>${t('keys.week')}</dt><dd>${usage.data ? t('keys.week_checks', {count: checks}) :
                    usage.problem ? t('keys.week_unknown') : t('common.loading')}</dd></div>
                <div><dt>${t('keys.scopes')}</dt><dd>${key.scopes.includes('*') ? t('scopes.all') :
                    key.scopes.join(' ')}</dd></div>
            </dl><//>
        <p>${t('keys.revoke_hint')}</p>
    <//>`;
}
