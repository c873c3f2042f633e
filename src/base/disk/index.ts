// The disk that there is, and the lock of a directory on it: loaded when a directory is opened.
export { lockDirectory, type DirectoryLock, type DirectoryLockOptions } from './directory-lock.js'
export { openSystemDisk } from './system-disk.js'
