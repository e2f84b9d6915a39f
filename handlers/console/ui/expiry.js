// Choosing when a key expires: a preset, a day, or never.
import {date, dayAfter, endOfDay} from '../lib/format.js';
import {t} from '../lib/i18n.js';
import {lifetimes} from '../lib/keys.js';
import {Field, Select} from './form.js';
import {html, useState} from './html.js';

/** The expiry that a form has, in the form of the API; null: never. @param {Record<string, any>} values */
export function expiryOf(values) {
    if (values.lifetime === 'never')
        return null;
    return endOfDay(values.lifetime === 'day' ? values.expires_on : dayAfter(Number(values.lifetime)));
}

/** @param {{initial?: string}} props */
export function ExpiryFields({initial = '90'}) {
    const [chosen, setChosen] = useState(initial);
    const options = lifetimes.map(days => days === null ? ['never', t('expiry.never')] :
        [String(days), t('expiry.days', {count: days, date: date(endOfDay(dayAfter(days)))})]);
    options.splice(-1, 0, ['day', t('expiry.day')]);
    return html`<${Select} name="lifetime" label=${t('expiry.label')} value=${chosen} options=${options}
            onChange=${setChosen} hint=${chosen === 'never' ? t('expiry.never_hint') : null} />
        ${chosen === 'day' && html`<${Field} name="expires_on" type="date" label=${t('expiry.on')} required
            min=${dayAfter(1)} value=${dayAfter(90)} />`}`;
}
