// What an embedded stream marks on a record, so that opening need not parse every header block.

/** The headers hold the message's id (`Nats-Msg-Id`). */
export const HAS_ID = 1
/** The headers hold a time to live (`Nats-TTL`). */
export const HAS_TTL = 2
/** Waits for its moment and is not shown; its key is the topic behind a zero byte, which no topic has. */
export const IS_DELAYED = 4
