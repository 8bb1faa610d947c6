/** Which of the values passed to this directory's functions is at fault, so that a caller can name the right input. */
export type PkiSubject =
  'certificate' | 'key' | 'passphrase' | 'sealed key' | 'name' | 'networks' | 'unsafeNetworks' | 'groups' | 'validity'

/**
 * A certificate, key or request that breaks a rule. The message is written for the person who supplied the value: it
 * names the rule and the line, never the content of a key.
 */
export class PkiError extends Error {
  override readonly name = 'PkiError'
  readonly subject: PkiSubject

  constructor(subject: PkiSubject, message: string, options?: ErrorOptions) {
    super(message, options)
    this.subject = subject
  }
}
