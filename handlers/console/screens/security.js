// Sign-in and security: password, address, sessions, providers, the end of the account.
import {announceSignOut} from '../lib/client.js';
import {device} from '../lib/format.js';
import {t} from '../lib/i18n.js';
import {Problem} from '../lib/problem.js';
import {providers, site} from '../lib/site.js';
import {Badge, Button, Empty, Time} from '../ui/controls.js';
import {Confirm} from '../ui/dialog.js';
import {Choice, Field, Form, PasswordField} from '../ui/form.js';
import {html, useState} from '../ui/html.js';
import {Section} from '../ui/screen.js';
import {useList, useSession} from '../ui/session.js';
import {ListTable} from '../ui/table.js';
import {toast} from '../ui/messages.js';

/** @typedef {import('../lib/client.js').Row<'/sessions'>} Session */
/** @typedef {import('../lib/client.js').Row<'/me/oauth-grants'>} Grant */

export function Security() {
    return html`<${Password} /><${Address} /><${Sessions} /><${Providers} /><${End} />`;
}

function Password() {
    const {client} = useSession();
    const [round, setRound] = useState(0);
    const save = async (/** @type {Record<string, any>} */ values, /** @type {HTMLFormElement} */ form) => {
        await client.post('/password/change', {
            new_password: values.new_password,
            ...values.current_password && {current_password: values.current_password}});
        form.reset();
        setRound(round + 1);
        toast(t('security.password_changed'));
    };
    return html`<${Section} title=${t('security.password')} intro=${t('security.password_hint')}>
        <${Form} submit=${t('security.change_password')} onSubmit=${save}>
            <${PasswordField} name="current_password" label=${t('security.current_password')} />
            <${Field} name="new_password" type="password" label=${t('security.new_password')} required minlength=${8}
                autocomplete="new-password" hint=${t('security.new_password_hint')} />
        <//><//>`;
}

function Address() {
    const {client, user} = useSession();
    const [sent, setSent] = useState('');
    const save = async (/** @type {Record<string, any>} */ values, /** @type {HTMLFormElement} */ form) => {
        await client.post('/email/change', {new_email: values.new_email, ...values.password
            && {password: values.password}});
        setSent(values.new_email);
        form.reset();
    };
    const resend = async () => {
        await client.post('/email/verify/resend', {});
        toast(t('overview.verification_sent', {email: user.email}));
    };
    return html`<${Section} title=${t('security.address')} intro=${t('security.address_hint')}>
        <p class="row"><span>${user.email}</span> <${Badge} tone=${user.email_verified ? 'good' : 'warning'}>
            ${t(user.email_verified ? 'requests.verified' : 'requests.unverified')}<//>
            ${!user.email_verified && html`<${Button} small onClick=${resend}>${t('overview.resend')}<//>`}</p>
        ${sent && html`<p role="status">${t('security.address_sent', {email: sent})}</p>`}
        <${Form} submit=${t('security.change_address')} onSubmit=${save}>
            <${Field} name="new_email" type="email" label=${t('security.new_address')} required autocomplete="email" />
            <${PasswordField} />
        <//><//>`;
}

function Sessions() {
    const {client} = useSession();
    const list = useList('/sessions');
    const [ended, setEnded] = useState(/** @type {Session | null} */ (null));
    const [endsOthers, setEndsOthers] = useState(false);
    const columns = [
        {title: t('security.device'), kind: 'main', cell: (/** @type {Session} */ row) => html`
            <span title=${row.user_agent}>${device(row.user_agent)}</span>
            ${row.current && html` <${Badge} tone="good">${t('security.this_device')}<//>`}`},
        {title: t('security.ip'), cell: (/** @type {Session} */ row) => html`<code>${row.ip}</code>`},
        {title: t('security.seen'), cell: (/** @type {Session} */ row) => html`<${Time} at=${row.last_seen_at} />`},
        {title: t('security.signed_in'), cell: (/** @type {Session} */ row) => html`<${Time} at=${row.created_at} />`},
        {title: t('common.actions'), kind: 'actions', cell: (/** @type {Session} */ row) => !row.current && html`
            <${Button} small kind="quiet" label=${t('security.end_of', {name: device(row.user_agent)})}
                onClick=${() => setEnded(row)}>${t('security.end')}<//>`},
    ];
    return html`<${Section} title=${t('security.sessions')} intro=${t('security.sessions_hint')}
            actions=${(list.rows?.length ?? 0) > 1 && html`<${Button} small onClick=${() => setEndsOthers(true)}>
                ${t('security.end_others')}<//>`}>
        <${ListTable} list=${list} caption=${t('security.sessions')} columns=${columns}
            id=${(/** @type {Session} */ row) => row.id}
            empty=${html`<${Empty} title=${t('security.no_sessions')} />`} />
        ${ended && html`<${Confirm} title=${t('security.end_title')} submit=${t('security.end')}
            onClose=${() => setEnded(null)} onConfirm=${async () => {
                await client.delete(`/sessions/${ended.id}`);
                list.change(rows => rows.filter(one => one.id !== ended.id));
                setEnded(null);
            }}><p>${t('security.end_hint', {name: device(ended.user_agent)})}</p><//>`}
        ${endsOthers && html`<${Confirm} title=${t('security.end_others')} submit=${t('security.end_others')}
            onClose=${() => setEndsOthers(false)} onConfirm=${async () => {
                await client.delete('/sessions');
                setEndsOthers(false);
                list.reload();
                toast(t('security.others_ended'));
            }}><p>${t('security.end_others_hint')}</p><//>`}
    <//>`;
}

function Providers() {
    const {client} = useSession();
    const list = useList('/me/oauth-grants');
    const unlink = async (/** @type {Grant} */ row) => {
        try {
            await client.delete(`/me/oauth-grants/${encodeURIComponent(row.provider)}`);
        } catch (error) {
            if (!(error instanceof Problem && error.code === 'conflict'))
                throw error;
            toast(t('security.unlink_last'), 'bad');
            return;
        }
        list.change(rows => rows.filter(one => one.provider !== row.provider));
        toast(t('security.unlinked'));
    };
    const columns = [
        {title: t('security.provider'), kind: 'main', cell: (/** @type {Grant} */ row) => html`${row.provider}
            <span class="muted">${row.email}</span>`},
        {title: t('keys.last_used'), cell: (/** @type {Grant} */ row) => html`<${Time} at=${row.last_used_at} />`},
        {title: t('common.actions'), kind: 'actions', cell: (/** @type {Grant} */ row) => html`<${Button} small
            kind="quiet"
            onClick=${() => unlink(row)}>${t('security.unlink')}<//>`},
    ];
    const offers = providers.includes('google');
    return html`<${Section} title=${t('security.providers')} intro=${t('security.providers_hint')}>
        <${ListTable} list=${list} caption=${t('security.providers')} columns=${columns}
            id=${(/** @type {Grant} */ row) => row.provider} empty=${html`<${Empty} title=${t('security.no_providers')}
                action=${offers && html`<form method="post" action=${`${site}/sign-in/google`}>
                    <input type="hidden" name="return_to" value=${location.pathname} />
                    <${Button} type="submit">${t('security.link_google')}<//></form>`} />`} />
    <//>`;
}

function End() {
    const {client, user} = useSession();
    const [isOpen, setOpen] = useState(false);
    return html`<${Section} tone="danger-zone" title=${t('security.end_account')}
        intro=${t('security.end_account_hint')}>
        <p><${Button} kind="danger" onClick=${() => setOpen(true)}>${t('security.end_account')}<//></p>
        ${isOpen && html`<${Confirm} title=${t('security.end_account')} submit=${t('security.end_account')}
            onClose=${() => setOpen(false)} onConfirm=${async (/** @type {Record<string, string>} */ {password}) => {
                await client.delete('/me', password ? {password} : {});
                client.close();
                announceSignOut();
                location.assign(`${site}/`);
            }}>
            <p>${t('security.end_account_what', {email: user.email})}</p>
            <${Choice} name="sure" required label=${t('security.end_account_sure')} />
            <${PasswordField} /><//>`}
    <//>`;
}
