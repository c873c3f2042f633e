// The number of a request as text of one length, so that all frames of an exchange are equally long.
export const requestIdDigits = 8

export function formatRequestId(number) {
  return String(number).padStart(requestIdDigits, '0')
}
