// Level 3: what happens to a message after it is handed out.
export {
  HandlerLane,
  type Admission,
  type HandlerLaneOptions,
  type OverflowPolicy,
} from './handler-lane.js'
export { RequestInbox } from './request-inbox.js'
