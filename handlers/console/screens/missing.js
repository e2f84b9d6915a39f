// An address without a screen.
import {t} from '../lib/i18n.js';
import {LinkButton} from '../ui/controls.js';
import {html} from '../ui/html.js';
import {useAddress, useSession} from '../ui/session.js';
import {Screen} from '../ui/screen.js';

export function Missing() {
    const of = useAddress();
    const {route} = useSession();
    return html`<${Screen} title=${t('missing.title')} intro=${t('missing.intro')}>
        <p><${LinkButton} kind="primary" href=${of(route.workspace
            ? 'overview' : 'account')}>${t('missing.home')}<//></p>
    <//>`;
}
