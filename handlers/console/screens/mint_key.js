// Minting a key.
import {t} from '../lib/i18n.js';
import {navigate} from '../lib/router.js';
import {Choice, Field, Form, Select} from '../ui/form.js';
import {html, useEffect, useRef, useState} from '../ui/html.js';
import {Forbidden, Screen} from '../ui/screen.js';
import {ExpiryFields, expiryOf} from '../ui/expiry.js';
import {requireScopes, ScopePicker} from '../ui/scopes.js';
import {Secret} from '../ui/secret.js';
import {useAddress, useCan, useSession} from '../ui/session.js';

/** The body of the call that a form describes. @param {Record<string, any>} values @param {string[]} scopes */
function bodyOf(values, scopes) {
    /** @type {Record<string, any>} */
    const body = {name: values.name ?? '', scopes};
    const expiry = values.lifetime ? expiryOf(values) : null;
    if (expiry)
        body.expires_at = expiry;
    if (values.owner === 'workspace') {
        body.owner = 'workspace';
        body.role = values.role ?? 'member';
    }
    return body;
}

export function MintKey() {
    const {client, me} = useSession();
    const can = useCan();
    const of = useAddress();
    const [scopes, setScopes] = useState(/** @type {string[]} */ ([]));
    const [values, setValues] = useState(/** @type {Record<string, any>} */ ({lifetime: '90'}));
    const [owner, setOwner] = useState('user');
    const [minted, setMinted] = useState(
        /** @type {import('../lib/client.js').Schemas['api_key_created'] | null} */ (null));
    const heading = t('keys.new');
    const top = useRef(/** @type {HTMLElement | null} */ (null));
    useEffect(() => {
        if (minted)
            top.current?.focus();
    }, [minted]);
    if (!can('api_keys:write'))
        return html`<${Forbidden} title=${heading} permission="api_keys:write" />`;
    const mint = async (/** @type {Record<string, any>} */ given) => {
        requireScopes(scopes);
        setMinted(await client.post('/api-keys', bodyOf({...given, owner}, scopes)));
    };
    const back = {href: of('keys'), text: t('keys.title')};
    if (minted)
        return html`<${Screen} title=${t('keys.minted', {name: minted.name})} back=${back}>
            <div tabindex="-1" ref=${top} class="focus-target">
            <${Secret} secret=${minted.secret} onStored=${() => navigate(of('keys', [minted.prefix]))} /></div><//>`;
    return html`<${Screen} title=${heading} back=${back}
            calls=${[{method: 'POST', path: '/api-keys', body: bodyOf({...values, owner}, scopes)}]}>
        <${Form} submit=${t('keys.mint')} onSubmit=${mint} onInput=${setValues} onCancel=${() => navigate(of('keys'))}>
            <${Field} name="name" label=${t('keys.name')} hint=${t('keys.name_hint')} required maxlength=${100} />
            <${ScopePicker} permissions=${me.permissions} value=${scopes} onChange=${setScopes} />
            <${ExpiryFields} />
            ${can('api_keys:admin') && html`<fieldset class="field"><legend>${t('keys.owner')}</legend>
                <${Choice} controlled type="radio" name="owner" value="user" label=${t('keys.owner_user')}
                    hint=${t('keys.owner_user_hint')} checked=${owner === 'user'} onChange=${() => setOwner('user')} />
                <${Choice} controlled type="radio" name="owner" value="workspace" label=${t('keys.owner_workspace')}
                    hint=${t('keys.owner_workspace_hint')} checked=${owner === 'workspace'}
                    onChange=${() => setOwner('workspace')} /></fieldset>`}
            ${owner === 'workspace' && html`<${Select} name="role" label=${t('keys.role')} value="member"
                hint=${t('keys.role_hint')} options=${['member', 'manager', 'admin'].map(one => [one,
                    t(`role.${one}`)])} />`}
        <//>
    <//>`;
}
