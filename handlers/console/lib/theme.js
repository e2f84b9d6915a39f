// The theme: the system's, or the one that was chosen here. theme.js applies it at the start.
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
