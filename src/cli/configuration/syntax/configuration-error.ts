// The one way in which a configuration is refused: CONFIG_INVALID, opening with the file and the line.
import { FanfareError } from '../../../base/index.js'
import type { Place } from './configuration-value.js'

export function configurationError(place: Place, fault: string, cause?: unknown): FanfareError {
  return new FanfareError('CONFIG_INVALID', `${place.file}:${place.line}: ${fault}`, {
    details: { file: place.file, line: place.line },
    cause,
  })
}
