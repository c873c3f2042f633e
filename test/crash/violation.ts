// What a checker throws.
/** Something that the contract does not allow has happened. */
export class Violation extends Error {
  override readonly name = 'Violation'
}
