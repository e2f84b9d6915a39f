// Validates the Kubernetes manifests of {folder} against the schemas of their kinds, and lints the file
// {compose}. Reports {checked: [kind, …], faults: [text, …]}.
import {execFile} from 'node:child_process';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {load, options, report} from './common.mjs';

const {default: yaml} = await load('js-yaml');
const packages = process.env.NODE_PATH;
const model = ({apiVersion, kind}) =>
    import(pathToFileURL(join(packages, 'kubernetes-models', apiVersion, `${kind}.js`)));

const checked = [], faults = [];
const names = (await readdir(options.folder)).filter(name => name.endsWith('.yaml'));
const texts = Object.fromEntries(await Promise.all(
    names.map(async name => [name, yaml.load(await readFile(join(options.folder, name), 'utf8'))])));
const {'kustomization.yaml': kustomization, ...manifests} = texts;
for (const [name, manifest] of Object.entries(manifests)) {
    try {
        const {[manifest.kind]: kind} = await model(manifest);
        new kind(manifest).validate();
        checked.push(manifest.kind);
    } catch (error) {
        faults.push(`${name}: ${error.message}`);
    }
}
const applied = [...kustomization.resources].sort().join();
const existing = Object.keys(manifests).filter(name => !name.includes('.example.')).sort().join();
if (applied !== existing)
    faults.push(`kustomization.yaml lists ${applied}, the folder has ${existing}`);

// The database connections of all nodes, during an update, are within PostgreSQL's default.
const {data} = manifests['configuration.yaml'];
const {spec: {strategy, template}} = manifests['deployment.yaml'];
const nodes = manifests['autoscaler.yaml'].spec.maxReplicas + strategy.rollingUpdate.maxSurge;
const each = data.LATCHKEY_THREADS * (Number(data.LATCHKEY_DATABASE_CONNECTIONS) + 1) + 4;
if (!(nodes * each + 1 <= 100 - 3))
    faults.push(`${nodes} nodes of ${each} connections, and the migration, exceed max_connections`);

// A pod is killed only after its delay, its requests and its mail.
if (!(template.spec.terminationGracePeriodSeconds >= Number(data.LATCHKEY_DRAIN_DELAY) + 10 + 5))
    faults.push('terminationGracePeriodSeconds is too short');

// Clients cannot use up the connections that probes need.
for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
    if (template.spec.containers[0][probe].httpGet.port !== 'admin')
        faults.push(`the ${probe} shares its listener with clients`);

// The files of secrets are mounted, and no secret is a variable.
const members = Object.keys(manifests['secret.example.yaml'].stringData).sort().join();
const files = Object.entries(data).filter(([name]) => name.endsWith('_FILE')).map(([, path]) => path);
for (const {spec} of [template, manifests['migration.yaml'].spec.template]) {
    const [{envFrom, volumeMounts}] = spec.containers;
    if (envFrom.some(one => one.secretRef))
        faults.push('a secret is in environment variables');
    if (files.map(path => path.replace(`${volumeMounts[0].mountPath}/`, '')).sort().join() !== members)
        faults.push(`${files} are not the members of the secret`);
}

const linted = await new Promise(resolve => execFile(
    process.execPath, [join(packages, 'dclint/bin/dclint.cjs'), '--formatter', 'json', options.compose],
    (error, out) => resolve(JSON.parse(out))));
for (const {messages} of linted)
    for (const {type, rule, line, message} of messages)
        if (type === 'error')
            faults.push(`compose.yaml:${line}: ${rule}: ${message}`);
report({checked, faults});
process.exit();
