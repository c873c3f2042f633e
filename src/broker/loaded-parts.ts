// What a broker loads when it is opened, in one piece: what reads messages that came as bytes, what few publishes need, failed
// and several answers, services, and the check of options that few brokers have.
export { toPublishedAttributes } from './causation.js'
export { toCompressor } from './compression-option.js'
export { readFailure, toFailedAnswer } from './failed-answers.js'
export { ReceivedMessage } from './received-message.js'
export { requestMany } from './request-many.js'
export { OpenService } from './service.js'
export { countServices, describeServices, pingServices } from './service-directory.js'
