/** What a store uses of a logger; pino fits. */
export interface StoreLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
