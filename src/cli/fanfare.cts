#!/usr/bin/env node
// The executable `fanfare`. It is CommonJS because Node loads modules on the very thread pool whose size is set here: by the
// time a module runs, the pool has its four threads and never gets more. Commits, reads, DNS and zlib share them.
process.env.UV_THREADPOOL_SIZE ??= '16'

void import('./main.js').then(({ main }) => main(process.argv.slice(2)))
