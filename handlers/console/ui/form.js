// Forms: labels, hints, and the server's errors at their fields.
import {t} from '../lib/i18n.js';
import {Problem} from '../lib/problem.js';
import {signInAddress} from '../lib/router.js';
import {Button, LinkButton, Notice} from './controls.js';
import {createContext, html, useCallback, useContext, useEffect, useId, useMemo, useRef, useState} from './html.js';
import {describe, describeField} from './messages.js';
import {useSession} from './session.js';

/** @typedef {import('../lib/problem.js').FieldError} FieldError */

/** The errors of a form by field name, and what forgets one. @type {any} */
const Errors = createContext({errors: new Map(), clear: () => {}});

/**
 * The error of a control that is more than one field; a `<fieldset name>` is its place in the form.
 *
 * @param {string} name
 * @return {{error: FieldError | undefined, clear: () => void}}
 */
export function useFieldError(name) {
    const {errors, clear} = useContext(Errors);
    return {error: errors.get(name), clear: () => clear(name)};
}

/** The errors of a problem by field; for some codes the field is known although the problem does not name it.
 *  @param {unknown} problem @return {Map<string, FieldError>} */
function errorsOf(problem) {
    if (!(problem instanceof Problem))
        return new Map();
    const errors = problem.byField();
    if (problem.code === 'weak_password' && errors.size === 0)
        for (const name of ['new_password', 'password'])
            errors.set(name, {loc: [], msg: '', type: 'weak_password'});
    if (problem.code === 'invalid_credentials')
        for (const name of ['current_password', 'password'])
            errors.set(name, {loc: [], msg: '', type: 'wrong_password'});
    return errors;
}

/**
 * The values of a form by name: text, and for a checkbox whether it is checked. Empty texts are left out.
 *
 * @param {HTMLFormElement} form
 * @return {Record<string, any>}
 */
export function valuesOf(form) {
    /** @type {Record<string, any>} */
    const out = {};
    for (const control of form.elements) {
        if (!(control instanceof HTMLInputElement || control instanceof HTMLSelectElement ||
              control instanceof HTMLTextAreaElement) || !control.name)
            continue;
        if (control instanceof HTMLInputElement && control.type === 'checkbox')
            out[control.name] = control.checked;
        else if (control instanceof HTMLInputElement && control.type === 'radio' ? control.checked : control.value)
            out[control.name] = control.value;
    }
    return out;
}

/** Remove what was typed as a password. @param {HTMLFormElement} form */
const forgetPasswords = form => {
    for (const control of form.querySelectorAll('input[type=password]'))
        if (control instanceof HTMLInputElement)
            control.value = '';
};

/**
 * A form that is sent by script. A problem is shown at the fields that it names, and the first of these is focused;
 * what no field explains is shown above the buttons.
 *
 * @param {{onSubmit: (values: Record<string, any>, form: HTMLFormElement) => unknown, submit: string,
 *     kind?: 'primary' | 'danger', onCancel?: () => void, onInput?: (values: Record<string, any>) => void,
 *     disabled?: boolean, inline?: boolean, children?: any}} props
 */
export function Form({onSubmit, submit, kind = 'primary', onCancel, onInput, disabled, inline, children}) {
    const form = useRef(/** @type {HTMLFormElement | null} */ (null));
    const [problem, setProblem] = useState(/** @type {unknown} */ (null));
    const [errors, setErrors] = useState(/** @type {Map<string, FieldError>} */ (new Map()));
    // Whether a field shows the problem. It stays so when the field is changed, which forgets its error.
    const [isExplained, setExplained] = useState(false);
    const [isBusy, setBusy] = useState(false);
    const clear = useCallback((/** @type {string} */ name) => setErrors(before =>
        before.has(name) ? new Map([...before].filter(([one]) => one !== name)) : before), []);
    const context = useMemo(() => ({errors, clear}), [errors]);

    useEffect(() => {
        if (!problem)
            return;
        // A group that has no control to mark is represented by what is chosen in it.
        const wrong = ['[aria-invalid=true]', '[data-invalid] input:checked', '.form-problem']
            .map(one => form.current?.querySelector(one)).find(Boolean);
        if (wrong instanceof HTMLElement)
            wrong.focus();
    }, [problem]);

    const send = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const current = form.current;
        if (isBusy || !current)
            return;
        setBusy(true);
        try {
            const values = valuesOf(current);
            setProblem(null);
            setErrors(new Map());
            await onSubmit(values, current);
            if (form.current)
                forgetPasswords(form.current);
        } catch (error) {
            const found = errorsOf(error);
            setErrors(found);
            setExplained([...found.keys()].some(name => current.elements.namedItem(name)));
            setProblem(error);
        } finally {
            setBusy(false);
        }
    };
    const input = (/** @type {any} */ event) => {
        clear(event.target.name);
        if (form.current)
            onInput?.(valuesOf(form.current));
    };
    return html`<${Errors.Provider} value=${context}>
        <form ref=${form} class=${inline ? 'form inline' : 'form'} onSubmit=${send} novalidate=${false}
            onInput=${input}>
            ${children}
            ${problem && !isExplained ? html`<div class="form-problem" tabindex="-1" role="alert">
                <${Notice} tone="bad" action=${problem instanceof Problem &&
                    problem.code === 'reauthentication_required' && html`<${LinkButton} small
                    href=${`${signInAddress(location)}&again=1`}>${t('session.sign_in')}<//>`}>
                    ${describe(problem)}<//></div>` : null}
            <div class="form-actions">
                <${Button} type="submit" kind=${kind} busy=${isBusy} disabled=${disabled}>${submit}<//>
                ${onCancel && html`<${Button} onClick=${onCancel}>${t('common.cancel')}<//>`}
            </div>
        </form>
    <//>`;
}

/**
 * A label with its control, hint and error.
 *
 * @param {{name: string, label: string, hint?: any, children: (attributes: Record<string, any>) => any}} props
 */
export function Labelled({name, label, hint, children}) {
    const id = useId();
    const {error} = useFieldError(name);
    const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
    return html`<div class="field">
        <label for=${id}>${label}</label>
        ${children({id, name, 'aria-invalid': error ? 'true' : undefined, 'aria-describedby': described || undefined})}
        ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
        ${error && html`<p class="field-error" id=${`${id}-error`}>${describeField(error)}</p>`}
    </div>`;
}

/**
 * @param {{name: string, label: string, hint?: any, type?: string, value?: string | null, required?: boolean,
 *     autocomplete?: string, maxlength?: number, min?: string, max?: string, placeholder?: string, list?: string[],
 *     inputmode?: string, spellcheck?: boolean, minlength?: number}} props
 */
export function Field({name, label, hint, type = 'text', value, list, autocomplete = 'off', ...rest}) {
    const listId = useId();
    return html`<${Labelled} name=${name} label=${label} hint=${hint}>${(/** @type {any} */ attributes) => html`
        <input ...${attributes} ...${rest} type=${type} defaultValue=${value ?? ''} autocomplete=${autocomplete}
            list=${list ? listId : undefined} />
        ${list && html`<datalist id=${listId}>${list.map(one => html`<option value=${one} />`)}</datalist>`}`}<//>`;
}

/**
 * @param {{name: string, label: string, hint?: any, value?: string | null, options: [string, string][],
 *     onChange?: (value: string) => void}} props
 */
export function Select({name, label, hint, value, options, onChange}) {
    return html`<${Labelled} name=${name} label=${label} hint=${hint}>${(/** @type {any} */ attributes) => html`
        <select ...${attributes} onInput=${(/** @type {any} */ event) => onChange?.(event.currentTarget.value)}>
            ${options.map(([key, text]) => html`<option value=${key}
                selected=${key === (value ?? '')}>${text}</option>`)}
        </select>`}<//>`;
}

/**
 * @param {{name?: string, label: any, hint?: any, checked?: boolean, disabled?: boolean, type?: string,
 *     value?: string, onChange?: (checked: boolean) => void, required?: boolean, controlled?: boolean,
 *     errorId?: string}} props
 *     errorId: the element with what is wrong about it
 *     controlled: `checked` is the state of a parent. It hears of `input`, which comes before `change`:
 *     a render in between would reset the box.
 */
export function Choice({name, label, hint, checked, disabled, type = 'checkbox', value, onChange, required,
    controlled, errorId}) {
    const id = useId();
    const described = [hint && `${id}-hint`, errorId].filter(Boolean).join(' ');
    const state = controlled ? {checked} : {defaultChecked: checked};
    return html`<div class="choice">
        <input id=${id} type=${type} name=${name} value=${value} ...${state} disabled=${disabled} required=${required}
            aria-describedby=${described || undefined} aria-invalid=${errorId ? 'true' : undefined}
            onInput=${(/** @type {any} */ event) => onChange?.(event.currentTarget.checked)} />
        <label for=${id}>${label}</label>
        ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    </div>`;
}

/**
 * A password that confirms an action; the hidden address is for password managers.
 * @param {{name?: string, label?: string}} props
 */
export function PasswordField({name = 'password', label = t('common.your_password')}) {
    const {user} = useSession();
    return html`<input class="hidden" type="text" autocomplete="username" value=${user.email} readonly tabindex="-1"
        aria-hidden="true" />
    <${Field} name=${name} type="password" label=${label} autocomplete="current-password"
        hint=${t('common.password_hint')} />`;
}
