// What the tests see of prepare.mjs.
export declare function findNodeFault(version: string, range: string): string | undefined
