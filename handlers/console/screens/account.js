// The user's own account.
import {languages, t} from '../lib/i18n.js';
import {Loading} from '../ui/controls.js';
import {Choice, Field, Form} from '../ui/form.js';
import {html} from '../ui/html.js';
import {ProblemNotice, toast} from '../ui/messages.js';
import {Screen, Section} from '../ui/screen.js';
import {useAddress, useLoad, useSession} from '../ui/session.js';
import {Picture} from './picture.js';
import {Security} from './security.js';

/** @typedef {import('../lib/router.js').Route} Route */

/** @typedef {import('../ui/screen.js').ApiCall} ApiCall */
/** @typedef {import('../lib/client.js').Schemas} Schemas */

/** @type {Record<string, {Show: any, calls: (user: Schemas['user']) => ApiCall[]}>} */
const parts = {
    profile: {Show: Profile, calls: ({name, title, locale, timezone}) => [
        {path: '/me'}, {method: 'PATCH', path: '/me', body: {name, title, locale, timezone}},
        {method: 'PUT', path: '/me/avatar', file: 'picture.png', type: 'image/png'},
        {method: 'DELETE', path: '/me/avatar'}]},
    security: {Show: Security, calls: () => [
        {method: 'POST', path: '/password/change', body: {current_password: '…', new_password: '…'}},
        {method: 'POST', path: '/email/change', body: {new_email: 'ada@example.com', password: '…'}},
        {method: 'POST', path: '/email/verify/resend', body: {}},
        {path: '/sessions'}, {method: 'DELETE', path: '/sessions/<session id>'}, {method: 'DELETE', path: '/sessions'},
        {path: '/me/oauth-grants'}, {method: 'DELETE', path: '/me/oauth-grants/google'},
        {method: 'DELETE', path: '/me', body: {password: '…'}}]},
    notifications: {Show: Notifications, calls: () => [
        {path: '/me/notifications'},
        {method: 'PATCH', path: '/me/notifications', body: {key_minted: {email: false}}}]},
};

/** @param {{route: Route}} props */
export default function Account({route}) {
    const of = useAddress();
    const {user} = useSession();
    const part = Object.hasOwn(parts, route.rest[0] ?? '') ? route.rest[0] : 'profile';
    const {Show, calls} = parts[part];
    const tabs = Object.keys(parts).map(one => ({
        href: of('account', one === 'profile' ? [] : [one]), text: t(`account.${one}`), current: one === part}));
    return html`<${Screen} key=${part} title=${t('account.title')} intro=${user.email} tabs=${tabs}
        calls=${calls(user)}>
        <${Show} /><//>`;
}

function Profile() {
    const {client, user, refresh} = useSession();
    const save = async (/** @type {Record<string, any>} */ values) => {
        await client.patch('/me', {name: values.name || null, title: values.title || null, locale: values.locale,
                                   timezone: values.timezone});
        await refresh();
        toast(t('common.saved'));
    };
    const zones = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : [];
    const names = new Intl.DisplayNames(document.documentElement.lang, {type: 'language'});
    return html`<${Section} title=${t('account.picture')} intro=${t('account.picture_hint')}><${Picture} /><//>
        <${Section} title=${t('account.about')}>
        <${Form} submit=${t('common.save')} onSubmit=${save}>
            <${Field} name="name" label=${t('account.name')} value=${user.name} autocomplete="name" maxlength=${100} />
            <${Field} name="title" label=${t('account.job')} value=${user.title} autocomplete="organization-title"
                maxlength=${100} hint=${t('account.job_hint')} />
            <${Field} name="locale" label=${t('account.locale')} value=${user.locale} required list=${['en',
                'en-GB', 'en-US', 'de', 'de-AT', 'de-CH']} hint=${t('account.locale_hint', {names: languages.map(one =>
                    names.of(one)).join(', ')})} />
            <${Field} name="timezone" label=${t('account.timezone')} value=${user.timezone} required list=${zones}
                hint=${t('account.timezone_hint', {zone: Intl.DateTimeFormat().resolvedOptions().timeZone})} />
        <//><//>`;
}

function Notifications() {
    const {client} = useSession();
    const loaded = useLoad('notifications', signal => client.get('/me/notifications', {}, signal));
    if (loaded.problem)
        return html`<${ProblemNotice} problem=${loaded.problem} retry=${loaded.reload} />`;
    if (!loaded.data)
        return html`<${Loading} />`;
    const security = ['password_changed', 'email_change_notice', 'new_sign_in', 'key_reported', 'provider_linked'];
    /** @type {Record<string, {email: boolean}>} */
    const chosen = loaded.data;
    const kinds = Object.keys(chosen);
    const set = async (/** @type {string} */ kind, /** @type {boolean} */ isOn) => {
        try {
            loaded.set(await client.patch('/me/notifications', {[kind]: {email: isOn}}));
            toast(t('common.saved'));
        } catch (error) {
            toast.problem(error);
            loaded.reload();
        }
    };
    const list = (/** @type {string[]} */ of, /** @type {boolean} */ fixed) => of.map(kind => html`<${Choice}
        key=${kind}
        controlled label=${t(`notification.${kind}`)} checked=${chosen[kind].email} disabled=${fixed}
        onChange=${(/** @type {boolean} */ isOn) => set(kind, isOn)} />`);
    return html`<${Section} title=${t('account.notices')} intro=${t('account.notices_hint')}>
            ${list(kinds.filter(kind => !security.includes(kind)), false)}<//>
        <${Section} title=${t('account.security_notices')} intro=${t('account.security_notices_hint')}>
            ${list(kinds.filter(kind => security.includes(kind)), true)}<//>`;
}
