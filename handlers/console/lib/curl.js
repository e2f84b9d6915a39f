// The curl command of a call. It has placeholders for secrets: it is made to be pasted into documents and tickets.

/** Quote a word for a POSIX shell. @param {string} word */
export function quote(word) {
    if (/^[\w@%+=:,./-]+$/.test(word))
        return word;
    return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Members of a body that are secret. */
const secrets = ['password', 'current_password', 'new_password', 'token', 'secret', 'key'];

/** @param {unknown} value @return {unknown} */
function masked(value) {
    if (Array.isArray(value))
        return value.map(masked);
    if (value === null || typeof value !== 'object')
        return value;
    return Object.fromEntries(Object.entries(value).map(
        ([name, member]) => [name, secrets.includes(name) && member ? '…' : masked(member)]));
}

/**
 * @typedef {object} Call
 * @property {string} [method]
 * @property {string} url  absolute
 * @property {unknown} [body]  JSON
 * @property {string} [file]  the name of a file that is the body, with its type
 * @property {string} [type]
 * @property {string} [token]  instead of the placeholder
 * @property {boolean} [headers]  print the status and the headers too
 */

/**
 * The command, on several lines.
 *
 * @param {Call} call
 */
export function curl({method = 'GET', url, body, file, type, token = '$LATCHKEY_TOKEN', headers = false}) {
    const parts = [`curl ${headers ? '-i ' : ''}${method === 'GET' ? '' : `-X ${method} `}${quote(url)}`];
    // In double quotes the shell replaces the placeholder.
    parts.push(token.startsWith('$') ? `-H "Authorization: Bearer ${token}"` :
                                       `-H ${quote(`Authorization: Bearer ${token}`)}`);
    if (file) {
        parts.push(`-H ${quote(`Content-Type: ${type}`)}`, `--data-binary ${quote(`@${file}`)}`);
    } else if (body !== undefined) {
        parts.push(`-H 'Content-Type: application/json'`, `-d ${quote(JSON.stringify(masked(body)))}`);
    }
    return parts.join(' \\\n  ');
}
