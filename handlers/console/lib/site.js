// What the page says of its site: it is known before anybody is signed in.

const page = typeof document === 'undefined' ? null : document.getElementById('app');

/** The path of the public URL, which a proxy may have, before every path. Without a slash at its end. */
export const site = page?.dataset.base ?? '';

/** The operator's name of the product. */
export const brand = page?.dataset.brand || 'Latchkey';

/** The address of the operator's logo, if there is one. */
export const logo = page?.dataset.logo || null;

/** The providers that a person can sign in with. */
export const providers = (page?.dataset.providers ?? '').split(' ').filter(Boolean);
