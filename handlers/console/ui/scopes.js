// Choosing the scopes of a key: everything, or permissions one by one.
import {t} from '../lib/i18n.js';
import {byResource} from '../lib/keys.js';
import {Choice} from './form.js';
import {html, useId, useState} from './html.js';

/**
 * @param {{permissions: string[], value: string[], onChange: (scopes: string[]) => void, error?: string | null}} props
 *     permissions: what may be chosen
 */
export function ScopePicker({permissions, value, onChange, error}) {
    const isAll = value.includes('*');
    const [chosen, setChosen] = useState(isAll ? [] : value);
    const id = useId();
    // Scopes of the operator's own resources are known by their name only.
    const others = chosen.filter(one => !permissions.includes(one));
    const set = (/** @type {string[]} */ next) => {
        setChosen(next);
        onChange(next);
    };
    const toggle = (/** @type {string} */ one, /** @type {boolean} */ isOn) =>
        set(isOn ? [...chosen, one] : chosen.filter(other => other !== one));
    return html`<fieldset class="field scopes-picker" aria-describedby=${`${id}-hint`}
            aria-invalid=${error ? 'true' : undefined}>
        <legend>${t('scopes.title')}</legend>
        <p class="hint" id=${`${id}-hint`}>${t('scopes.hint')}</p>
        <${Choice} controlled type="radio" name=${`${id}-kind`} label=${t('scopes.some')} checked=${!isAll}
            onChange=${() => onChange(chosen)} />
        ${!isAll && html`<div class="scope-groups">${byResource(permissions).map(([resource, all]) => html`
            <fieldset key=${resource}><legend>${resource}</legend>
                ${all.map(one => html`<${Choice} key=${one} controlled label=${html`<code>${one}</code>`}
                    hint=${t(`permission.${one.replace(':', '_')}`)} checked=${chosen.includes(one)}
                    onChange=${(/** @type {boolean} */ isOn) => toggle(one, isOn)} />`)}
            </fieldset>`)}
            <div class="field other-scopes"><label for=${`${id}-other`}>${t('scopes.other')}</label>
                <input id=${`${id}-other`} autocomplete="off" spellcheck=${false} defaultValue=${others.join(' ')}
                    placeholder="leads:read" aria-describedby=${`${id}-other-hint`}
                    onChange=${(/** @type {any} */ event) => set([
                        ...chosen.filter(one => permissions.includes(one)),
                        ...event.currentTarget.value.split(/[\s,]+/).filter(Boolean)])} />
                <p class="hint" id=${`${id}-other-hint`}>${t('scopes.other_hint')}</p></div>
        </div>`}
        <${Choice} controlled type="radio" name=${`${id}-kind`} label=${t('scopes.all')} hint=${t('scopes.all_hint')}
            checked=${isAll} onChange=${() => onChange(['*'])} />
        ${error && html`<p class="field-error">${error}</p>`}
    </fieldset>`;
}
