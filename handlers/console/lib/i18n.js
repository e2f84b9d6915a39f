// Texts in the user's language. languages/<tag>.json has them; a text with a count is an object of its plural forms
// (CLDR categories, as Intl.PluralRules names them).

/** The languages that exist, by their tag. */
export const languages = /** @type {const} */ (['en', 'de']);

/** @typedef {string | Record<string, string>} Text */
/** @typedef {Record<string, Text | Record<string, Text>>} Texts */

/** The best available language. @param {readonly string[]} wanted tags (BCP 47), the preferred first */
export function choose(wanted) {
    for (const tag of wanted) {
        const found = languages.find(one => one === tag.toLowerCase().split('-')[0]);
        if (found)
            return found;
    }
    return languages[0];
}

/** The locale of accounts that have not chosen any (the database's default). */
const undecided = 'en';

/**
 * The wanted languages of a person: the account's, if one was chosen, before the browser's. The pages have the same
 * rule (choose_language in handlers/pages/texts/messages.cpp).
 *
 * @param {string | null | undefined} chosen  the account's locale
 * @param {readonly string[]} browser
 * @return {readonly string[]}
 */
export const preferred = (chosen, browser) => chosen && chosen !== undecided ? [chosen, ...browser] : browser;

let language = /** @type {string} */ (languages[0]);
/** The tag for numbers and dates: the user's, which may name a region. */
let locale = language;
/** @type {Map<string, Text>} */
let texts = new Map();
let rules = new Intl.PluralRules(language);

/** The texts by their full name, `section.name`. @param {Texts} sections */
export function flatten(sections) {
    /** @type {Map<string, Text>} */
    const out = new Map();
    for (const [section, members] of Object.entries(sections))
        for (const [name, text] of Object.entries(members))
            out.set(`${section}.${name}`, /** @type {Text} */ (text));
    return out;
}

/** @param {string} tag one of `languages` @return {Promise<Texts>} */
async function fetchTexts(tag) {
    const response = await fetch(new URL(`../languages/${tag}.json`, import.meta.url));
    if (!response.ok)
        throw new Error(`the language ${tag} is missing`);
    return response.json();
}

/**
 * Use a language.
 *
 * @param {readonly string[]} wanted  tags, the preferred first
 * @param {(tag: string) => Promise<Texts>} [load]
 * @return {Promise<boolean>} whether it is another one than before
 */
export async function use(wanted, load = fetchTexts) {
    const chosen = choose(wanted);
    const regional = wanted.find(tag => tag.toLowerCase().split('-')[0] === chosen) ?? chosen;
    const changes = chosen !== language || regional !== locale || texts.size === 0;
    if (chosen !== language || texts.size === 0) {
        texts = flatten(await load(chosen));
        rules = new Intl.PluralRules(chosen);
    }
    language = chosen;
    locale = regional;
    if (typeof document !== 'undefined')
        document.documentElement.lang = chosen;
    return changes;
}

export const currentLanguage = () => language;
export const currentLocale = () => locale;

/** Whether a text exists. @param {string} name */
export const has = name => texts.has(name);

/** @param {string} name @param {Record<string, unknown>} values */
function find(name, values) {
    const text = texts.get(name);
    if (text === undefined)
        return name;
    if (typeof text === 'string')
        return text;
    return text[rules.select(Number(values.count))] ?? text.other ?? name;
}

/** @param {unknown} value */
const shown = value => typeof value === 'number' ? value.toLocaleString(locale) : String(value);

/**
 * A text. `{name}` in it stands for a value; `count` selects the plural form.
 *
 * @param {string} name
 * @param {Record<string, unknown>} [values]
 * @return {string}
 */
export function t(name, values = {}) {
    return find(name, values).replace(/\{(\w+)\}/g, (whole, key) => key in values ? shown(values[key]) : whole);
}

/**
 * A text with values that may be elements.
 *
 * @param {string} name
 * @param {Record<string, any>} values
 * @return {any[]} the pieces, to be rendered in this order
 */
export function pieces(name, values) {
    return find(name, values).split(/(\{\w+\})/).filter(Boolean).map(piece => {
        const key = /^\{(\w+)\}$/.exec(piece)?.[1];
        const value = key === undefined ? undefined : values[key];
        return value === undefined ? piece : typeof value === 'number' ? shown(value) : value;
    });
}
