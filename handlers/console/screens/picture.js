// The profile picture: chosen, cropped to a square on a canvas, and sent. The picture never leaves the browser whole.
import {squareOf} from '../lib/crop.js';
import {t} from '../lib/i18n.js';
import {Avatar, Button} from '../ui/controls.js';
import {Dialog} from '../ui/dialog.js';
import {Form} from '../ui/form.js';
import {html, useEffect, useId, useRef, useState} from '../ui/html.js';
import {useSession} from '../ui/session.js';
import {toast} from '../ui/messages.js';

/** Pixels of the sent picture, and of the canvas that shows it. */
const size = 512, shown = 288;

export function Picture() {
    const {client, user, refresh} = useSession();
    const [picture, setPicture] = useState(/** @type {ImageBitmap | null} */ (null));
    const input = useRef(/** @type {HTMLInputElement | null} */ (null));
    const id = useId();
    const choose = async () => {
        const file = input.current?.files?.[0];
        if (!file)
            return;
        try {
            setPicture(await createImageBitmap(file));
        } catch {
            toast(t('picture.unreadable'), 'bad');
        }
        if (input.current)
            input.current.value = '';
    };
    const remove = async () => {
        await client.delete('/me/avatar');
        await refresh();
        toast(t('picture.removed'));
    };
    return html`<div class="row picture-row">
        <${Avatar} large name=${user.name ?? user.email} url=${user.avatar_url} />
        <input ref=${input} id=${id} class="hidden" type="file" accept="image/png,image/jpeg,image/webp"
            onChange=${choose}
            tabindex="-1" aria-label=${t('picture.choose')} />
        <${Button} onClick=${() => input.current?.click()}>${t('picture.choose')}<//>
        ${user.avatar_url && html`<${Button} onClick=${remove}>${t('picture.remove')}<//>`}
        ${picture && html`<${Crop} picture=${picture} onClose=${() => {
            picture.close();
            setPicture(null);
        }} onDone=${async (/** @type {Blob} */ blob) => {
            await client.put('/me/avatar', blob);
            await refresh();
            toast(t('picture.saved'));
        }} />`}
    </div>`;
}

/** @param {{picture: ImageBitmap, onClose: () => void, onDone: (blob: Blob) => Promise<void>}} props */
function Crop({picture, onClose, onDone}) {
    const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
    const [view, setView] = useState({zoom: 1, x: 0.5, y: 0.5});
    const dragged = useRef(/** @type {{x: number, y: number} | null} */ (null));
    const draw = (/** @type {HTMLCanvasElement} */ on) => {
        const {side, left, top} = squareOf(picture, view);
        const context = on.getContext('2d');
        context?.clearRect(0, 0, on.width, on.height);
        context?.drawImage(picture, left, top, side, side, 0, 0, on.width, on.height);
    };
    useEffect(() => {
        if (canvas.current)
            draw(canvas.current);
    }, [view, picture]);
    const limit = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    const move = (/** @type {PointerEvent} */ event) => {
        if (!dragged.current)
            return;
        const {side} = squareOf(picture, view);
        const step = (/** @type {number} */ pixels, /** @type {number} */ free) =>
            free > 0 ? pixels * side / shown / free : 0;
        setView({...view, x: limit(view.x - step(event.clientX - dragged.current.x, picture.width - side)),
                 y: limit(view.y - step(event.clientY - dragged.current.y, picture.height - side))});
        dragged.current = {x: event.clientX, y: event.clientY};
    };
    const save = async () => {
        const on = document.createElement('canvas');
        on.width = on.height = size;
        draw(on);
        const blob = await new Promise(resolve => on.toBlob(resolve, 'image/png'));
        await onDone(blob);
        onClose();
    };
    const slider = (/** @type {'zoom' | 'x' | 'y'} */ name, /** @type {number} */ min, /** @type {number} */ max) =>
        html`
        <label class="slider">${t(`picture.${name}`)}<input type="range" min=${min} max=${max} step="0.01"
            value=${view[name]} onInput=${(/** @type {any} */ event) =>
                setView({...view, [name]: Number(event.currentTarget.value)})} /></label>`;
    return html`<${Dialog} title=${t('picture.crop')} onClose=${onClose}>
        <${Form} submit=${t('picture.use')} onSubmit=${save} onCancel=${onClose}>
        <canvas ref=${canvas} class="crop" width=${shown} height=${shown} role="img" aria-label=${t('picture.preview')}
            onPointerDown=${(/** @type {any} */ event) => {
                dragged.current = {x: event.clientX, y: event.clientY};
                event.currentTarget.setPointerCapture(event.pointerId);
            }} onPointerMove=${move} onPointerUp=${() => {
                dragged.current = null;
            }} />
        ${slider('zoom', 1, 4)} ${slider('x', 0, 1)} ${slider('y', 0, 1)}
        <//>
    <//>`;
}
