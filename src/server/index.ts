// Level 7: sockets and sessions around an engine; the door `fanfare/server`.
export { Server, type ServerParts } from './server.js'
export { startServer } from './start-server.js'
export type {
  Authorization,
  Permissions,
  ResponsePermission,
  ServerOptions,
  SubjectPermission,
  User,
} from './server-options.js'
export type { LogLevel } from './session-host.js'
