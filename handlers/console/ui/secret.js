// The secret of a key, which the server shows once. It is in the state of this component alone, and gone with it.
import {t} from '../lib/i18n.js';
import {guardLeaving} from '../lib/router.js';
import {Button, Copyable, Notice} from './controls.js';
import {Confirm} from './dialog.js';
import {html, useEffect, useRef, useState} from './html.js';

/**
 * Every way off the screen asks first: the secret may not have been copied, and nothing brings it back.
 *
 * @param {{secret: string, onStored: () => void, children?: any}} props
 */
export function Secret({secret, onStored, children}) {
    const [go, setGo] = useState(/** @type {{leave: () => void} | null} */ (null));
    const release = useRef(() => {});
    useEffect(() => {
        const stop = guardLeaving(leave => setGo({leave}));
        const ask = (/** @type {Event} */ event) => event.preventDefault();
        addEventListener('beforeunload', ask);
        release.current = () => {
            stop();
            removeEventListener('beforeunload', ask);
        };
        return release.current;
    }, []);
    const stored = () => {
        release.current();
        onStored();
    };
    return html`<div class="secret-once">
        <${Notice} tone="warning" title=${t('secret.title')}><p>${t('secret.hint')}</p><//>
        <${Copyable} text=${secret} label=${t('secret.label')} secret />
        ${children}
        <p><${Button} kind="primary" onClick=${stored}>${t('secret.stored')}<//></p>
        ${go && html`<${Confirm} title=${t('secret.leave_title')} submit=${t('secret.leave')}
            onClose=${() => setGo(null)} onConfirm=${() => {
                release.current();
                go.leave();
            }}><p>${t('secret.leave_hint')}</p><//>`}
    </div>`;
}
