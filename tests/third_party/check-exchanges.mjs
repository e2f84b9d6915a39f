// Checks recorded responses of a server against its OpenAPI {document}: {folder} has *.jsonl files of
// exchanges. Reports {checked: number, faults: [text, …], unseen: [operations without a recorded success,
// …]}.
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {load, options, report} from './common.mjs';

const {default: {default: Ajv}} = await load('ajv/dist/2020.js');
const {default: {default: addFormats}} = await load('ajv-formats');
const document = JSON.parse(await readFile(options.document, 'utf8'));
const ajv = new Ajv({strict: false, allErrors: false});
addFormats(ajv);
ajv.addSchema(document, 'document');

const escape = text => text.replaceAll('~', '~0').replaceAll('/', '~1');
const segments = path => path.split('/').slice(1);
const paths = Object.entries(document.paths).map(([path, item]) => ({
    path, pattern: segments(path),
    open: Object.values(item).some(one => one.parameters?.some(parameter => parameter['x-several-segments'])),
}));
const isParameter = segment => segment.startsWith('{');

/** The path template of the document that matches a target; one without parameters has precedence. */
const find = target => {
    const given = segments(target.split('?')[0]);
    const fits = ({pattern, open}) => (open ? pattern.length <= given.length : pattern.length === given.length) &&
        pattern.every((segment, i) => isParameter(segment) ? given[i] !== '' : segment === given[i]);
    const all = paths.filter(fits);
    return (all.find(({pattern}) => !pattern.some(isParameter)) ?? all[0])?.path;
};

const validators = new Map();
const validator = pointer => {
    if (!validators.has(pointer))
        validators.set(pointer, ajv.compile({$ref: `document#${pointer}`}));
    return validators.get(pointer);
};

// Statuses of HTTP itself, possible before the route is known.
const ofHttp = new Set([400, 408, 413, 417, 431, 505]);
const anyMethod = new Set(['/api/v1/users/auth']);
const faults = new Map(), seen = new Set();
const fault = (where, what) => faults.set(where, what);

const check = ({method, target, status, content_type: type, body}) => {
    const path = find(target);
    let where = `${method} ${path ?? '?'} ${status}`;
    if (method === 'OPTIONS')
        return;
    if (!path)
        return status === 404 || status === 429 || ofHttp.has(status) ||
            fault(`${method} ${target} ${status}`, 'is no path');
    const verb = anyMethod.has(path) || method === 'HEAD' ? 'get' : method.toLowerCase();
    const operation = document.paths[path][verb];
    if (!operation)
        return status === 405 || status === 429 || ofHttp.has(status) || fault(where, 'is no operation');
    let pointer = `/paths/${escape(path)}/${verb}/responses/${status}`;
    let answer = operation.responses[status] ?? operation.responses[`${String(status)[0]}XX`];
    if (!answer) {
        if (status !== 400 && ofHttp.has(status))
            return;
        return fault(where, 'is not documented: ' + body);
    }
    if (answer.$ref) {
        pointer = answer.$ref.slice(1);
        answer = document.components.responses[pointer.split('/').at(-1)];
    }
    if (status < 400)
        seen.add(operation.operationId);
    if (method === 'HEAD' || status === 304)
        return;
    const media = Object.keys(answer.content ?? {});
    const plain = type.split(';')[0];
    if (media.length === 0)
        return plain === '' || fault(where, `has a body of type ${plain}`);
    const fits = one => one === plain || one === '*/*' || one.replace('/*', '') === plain.split('/')[0];
    const found = media.find(fits);
    if (!found)
        return fault(where, `has the type ${plain}`);
    if (body === undefined || !answer.content[found].schema)
        return;
    const value = JSON.parse(body);
    const valid = validator(`${pointer}/content/${escape(found)}/schema`);
    if (!valid(value))
        fault(`${where} ${value.code ?? ''}`, `${ajv.errorsText(valid.errors)}: ${body.slice(0, 300)}`);
};

let checked = 0;
for (const file of await readdir(options.folder)) {
    const text = await readFile(join(options.folder, file), 'utf8');
    for (const line of text.split('\n').filter(Boolean)) {
        check(JSON.parse(line));
        ++checked;
    }
}
const all = Object.values(document.paths).flatMap(path => Object.values(path)).map(one => one.operationId);
report({
    checked,
    faults: [...faults].map(([where, what]) => `${where}: ${what}`),
    unseen: all.filter(id => !seen.has(id)),
});
process.exit();
