// Modal dialogs, on the browser's own <dialog>: it traps the focus, closes by Escape, and returns the focus.
import {html, useId, useLayoutEffect, useRef} from './html.js';
import {Form} from './form.js';
import {Toasts} from './messages.js';

/**
 * @param {{title: string, onClose: () => void, wide?: boolean, locked?: boolean, children?: any}} props
 *     locked: Escape does not close it
 */
export function Dialog({title, onClose, wide, locked, children}) {
    const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
    const id = useId();
    useLayoutEffect(() => {
        const dialog = element.current;
        dialog?.showModal();
        return () => dialog?.close();
    }, []);
    const cancel = (/** @type {Event} */ event) => {
        event.preventDefault();
        if (!locked)
            onClose();
    };
    // Chromium closes a dialog at a second Escape although the event was cancelled.
    const keydown = (/** @type {KeyboardEvent} */ event) => {
        // A key in a dialog that is above this one is not meant for it.
        const isHere = event.target instanceof Element && event.target.closest('dialog') === element.current;
        if (locked && isHere && event.key === 'Escape')
            event.preventDefault();
    };
    return html`<dialog ref=${element} class=${wide ? 'dialog wide' : 'dialog'} aria-labelledby=${id}
            onCancel=${cancel} onKeyDown=${keydown}>
        <h2 id=${id}>${title}</h2>
        ${children}
        <${Toasts} />
    </dialog>`;
}

/**
 * A question before something that cannot be undone.
 *
 * @param {{title: string, submit: string, onConfirm: (values: Record<string, any>) => unknown, onClose: () => void,
 *     danger?: boolean, disabled?: boolean, wide?: boolean, children?: any}} props
 */
export const Confirm = ({title, submit, onConfirm, onClose, danger = true, disabled, wide, children}) => html`
    <${Dialog} title=${title} onClose=${onClose} wide=${wide}>
        <${Form} submit=${submit} kind=${danger ? 'danger' : 'primary'} onCancel=${onClose} disabled=${disabled}
            onSubmit=${onConfirm}>${children}<//>
    <//>`;

