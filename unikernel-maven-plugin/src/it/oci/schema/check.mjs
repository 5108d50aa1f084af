// SPDX-License-Identifier: Apache-2.0
// Compares a manifest with the types of KubeVirt's API, which are generated from its OpenAPI specification:
//     node check.mjs FILE
// Prints each field that the API does not have, or has with another type, and ends with status 1 if there is one.
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { parse } from 'yaml';

const manifest = parse(readFileSync(process.argv[2], 'utf8'));
const type = 'V1' + manifest.kind;
const source = 'manifest.ts';
// The package's generator leaves out fields that are a number or a name (Kubernetes' type IntOrString).
writeFileSync(source, `import type { ${type} } from '@kubevirt-ui-ext/kubevirt-api/kubevirt';
declare module '@kubevirt-ui-ext/kubevirt-api/kubevirt' {
    interface K8sIoApiCoreV1HTTPGetAction { port: number | string }
    interface K8sIoApiCoreV1TCPSocketAction { port: number | string }
}
export const manifest: ${type} = ${JSON.stringify(manifest, null, 2)};
`);

const program = ts.createProgram([source], {
    noEmit: true,
    strict: true,
    // What the package itself leaves open in its own files.
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
});
const found = ts.getPreEmitDiagnostics(program);
for (const problem of found) {
    const line = problem.file.text.slice(problem.start).split('\n')[0];
    console.log(`${line}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
}
process.exit(found.length === 0 ? 0 : 1);
