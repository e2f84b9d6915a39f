// What the page says of its site, which is known before anybody is signed in, and the theme that it is shown in.

const page = typeof document === 'undefined' ? null : document.getElementById('app');

/** The path of the public URL, which a proxy may have, before every path. Without a slash at its end. */
export const site = page?.dataset.base ?? '';

/** The operator's name of the product. */
export const brand = page?.dataset.brand || 'Latchkey';

/** The address of the operator's logo, if there is one. */
export const logo = page?.dataset.logo || null;

/** The providers that a person can sign in with. */
export const providers = (page?.dataset.providers ?? '').split(' ').filter(Boolean);

// Where theme.js finds the theme that was chosen here, instead of the system's.
const item = 'latchkey:theme';

/** @return {'system' | 'light' | 'dark'} */
export function theme() {
    const chosen = document.documentElement.dataset.theme;
    return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

/** @param {string} chosen */
export function setTheme(chosen) {
    const isOverride = chosen === 'light' || chosen === 'dark';
    if (isOverride)
        document.documentElement.dataset.theme = chosen;
    else
        delete document.documentElement.dataset.theme;
    try {
        if (isOverride)
            localStorage.setItem(item, chosen);
        else
            localStorage.removeItem(item);
    } catch {
        // It lasts until the page is left.
    }
}
