// Choosing the scopes of a key: everything, or permissions one by one.
import {t} from '../lib/i18n.js';
import {byResource} from '../lib/keys.js';
import {fieldProblem} from '../lib/problem.js';
import {Choice, useFieldError} from './form.js';
import {html, useId, useState} from './html.js';
import {describeField} from './messages.js';

/** Refuses an empty choice, at the picker. @param {string[]} scopes @throws {import('../lib/problem.js').Problem} */
export function requireScopes(scopes) {
    if (!scopes.length)
        throw fieldProblem('scopes', 'scopes_needed');
}

/**
 * The field `scopes` of a form.
 *
 * @param {{permissions: string[], value: string[], onChange: (scopes: string[]) => void}} props
 *     permissions: what may be chosen
 */
export function ScopePicker({permissions, value, onChange}) {
    const isAll = value.includes('*');
    const [chosen, setChosen] = useState(isAll ? [] : value);
    const {error, clear} = useFieldError('scopes');
    const id = useId();
    const errorId = error ? `${id}-error` : undefined;
    const give = (/** @type {string[]} */ scopes) => {
        clear();
        onChange(scopes);
    };
    // Scopes of the operator's own resources are known by their name only.
    const others = chosen.filter(one => !permissions.includes(one));
    const set = (/** @type {string[]} */ next) => {
        setChosen(next);
        give(next);
    };
    const toggle = (/** @type {string} */ one, /** @type {boolean} */ isOn) =>
        set(isOn ? [...chosen, one] : chosen.filter(other => other !== one));
    return html`<fieldset class="field scopes-picker" name="scopes"
            aria-describedby=${[`${id}-hint`, errorId].filter(Boolean).join(' ')}
            data-invalid=${error ? '' : undefined}>
        <legend>${t('scopes.title')}</legend>
        <p class="hint" id=${`${id}-hint`}>${t('scopes.hint')}</p>
        <${Choice} controlled type="radio" name=${`${id}-kind`} label=${t('scopes.some')} checked=${!isAll}
            onChange=${() => give(chosen)} />
        <${Choice} controlled type="radio" name=${`${id}-kind`} label=${t('scopes.all')} hint=${t('scopes.all_hint')}
            checked=${isAll} onChange=${() => give(['*'])} />
        ${error && html`<p class="field-error" id=${errorId}>${describeField(error)}</p>`}
        ${!isAll && html`<div class="scope-groups">${byResource(permissions).map(([resource, all]) => html`
            <fieldset key=${resource}><legend>${resource}</legend>
                ${all.map(one => html`<${Choice} key=${one} controlled label=${html`<code>${one}</code>`}
                    hint=${t(`permission.${one.replace(':', '_')}`)} checked=${chosen.includes(one)}
                    errorId=${errorId}
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
    </fieldset>`;
}
