/**
 * The driver for Apache Mesos: subscribes at the leading master, and again after every interruption, for ever, until it is
 * closed or the master says that trying again is wrong. Decides nothing about tasks or offers. Order: `beforeSubscribe` before
 * every SUBSCRIBE; events in the order of the stream; calls in the order given, only on the stream they were decided on.
 */
import { invariant } from '../errors.js'
import type { MesosDriver } from '../ports/mesos-driver.js'
import { readDriverOptions, type MesosDriverOptions } from './driver-options.js'
import { startSubscriptionLoop, type SubscriptionLoop } from './subscription-loop.js'

/**
 * Connects only when started; after it has stopped it may be started again.
 *
 * @throws SdkError `ERR_INVALID_OPTION`
 * @example
 * const driver = createMesosDriver({ masters: 'http://10.0.0.1:5050,http://10.0.0.2:5050' })
 */
export function createMesosDriver(options: MesosDriverOptions): MesosDriver {
  const settings = readDriverOptions(options)
  let loop: SubscriptionLoop | undefined
  return {
    start(handlers) {
      invariant(loop === undefined || loop.isStopped(), 'a driver that runs cannot be started again')
      loop = startSubscriptionLoop(settings, handlers)
    },

    async send({ streamId, call }) {
      const session = loop?.session()
      if (session === undefined || !session.isSubscribed() || session.streamId !== streamId) {
        settings.logger?.debug({ call: call.type, streamId }, 'a call of an earlier stream was dropped')
        return
      }
      await session.send(call)
    },

    async close() {
      loop?.stop()
      await loop?.finished
    },
  }
}
