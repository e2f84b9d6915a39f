// The secret of a key, which the server shows once. It is in the state of this component alone, and gone with it.
import {t} from '../lib/i18n.js';
import {Button, Copyable, Notice} from './controls.js';
import {html, useEffect} from './html.js';

/**
 * @param {{secret: string, onStored: () => void, children?: any}} props
 */
export function Secret({secret, onStored, children}) {
    useEffect(() => {
        // Asks before the page is closed with a secret that may not have been copied.
        const ask = (/** @type {Event} */ event) => event.preventDefault();
        addEventListener('beforeunload', ask);
        return () => removeEventListener('beforeunload', ask);
    }, []);
    return html`<div class="secret-once">
        <${Notice} tone="warning" title=${t('secret.title')}><p>${t('secret.hint')}</p><//>
        <${Copyable} text=${secret} label=${t('secret.label')} secret />
        ${children}
        <p><${Button} kind="primary" onClick=${onStored}>${t('secret.stored')}<//></p>
    </div>`;
}
