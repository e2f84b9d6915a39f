// The place of the site: the path of its public URL, which a proxy may have, before every path.

/** Without a slash at its end; empty at the root of the host. */
export const site = (typeof document === 'undefined' ? undefined : document.documentElement.dataset.base) ?? '';
