import type { NodeCertificate } from '../../pki/certificate.ts'
import { firstWithCertificates2 } from '../version-hazards.ts'
import { isAtLeast } from '../version.ts'
import { textsAt, type Machine, type Obstacle } from './machine.ts'

/** Why two machines do not accept each other's certificates; empty when each has one that the other accepts. */
export function distrust(sender: Machine, receiver: Machine, now: Date): Obstacle[] {
  const both = [sender, receiver]
  const common = [1, 2].filter(
    (format) =>
      both.every(({ certificates }) => certificates.some(({ version }) => version === format)) &&
      (format === 1 || both.every(({ version }) => isAtLeast(version, firstWithCertificates2))),
  )
  if (common.length === 0) {
    const message = `${sender.name} and ${receiver.name} have no certificate of a version that both know: Nebula reads version 2 from ${firstWithCertificates2} on`
    return [{ code: 'NO_COMMON_CERTIFICATE_VERSION', at: 'sender', message }]
  }
  const reasons = common.map((format) => [
    ...refused(sender, receiver, format, now).map((one): Obstacle => ({ ...one, at: 'sender' })),
    ...refused(receiver, sender, format, now).map((one): Obstacle => ({ ...one, at: 'receiver' })),
  ])
  return reasons.find((one) => one.length === 0) ?? reasons[0] ?? []
}

/** Why a machine does not accept another one's certificate of a format. */
function refused(shown: Machine, by: Machine, format: number, now: Date): Omit<Obstacle, 'at'>[] {
  const certificate = shown.certificates.find(({ version }) => version === format)
  if (!certificate) return []
  return [
    ...invalid(`the certificate of ${shown.name}`, certificate, now),
    ...untrusted(shown, certificate, by, now),
    ...(textsAt(by.config, ['pki', 'blocklist']).includes(certificate.fingerprint)
      ? [{ code: 'BLOCKED', message: `the certificate of ${shown.name} is on the blocklist of ${by.name}` } as const]
      : []),
  ]
}

function untrusted(shown: Machine, { issuer }: NodeCertificate, by: Machine, now: Date): Omit<Obstacle, 'at'>[] {
  const ca = by.cas.find(({ fingerprint }) => fingerprint === issuer)
  if (ca) return invalid(`the CA of ${shown.name}, "${ca.name}",`, ca, now)
  const message = `${by.name} does not trust the CA that signed the certificate of ${shown.name}, ${issuer}`
  return [{ code: 'CA_NOT_TRUSTED', message }]
}

function invalid(
  what: string,
  { notBefore, notAfter }: Pick<NodeCertificate, 'notBefore' | 'notAfter'>,
  now: Date,
): Omit<Obstacle, 'at'>[] {
  if (now > notAfter) return [{ code: 'CERTIFICATE_NOT_VALID', message: `${what} ended ${notAfter.toISOString()}` }]
  if (now >= notBefore) return []
  return [{ code: 'CERTIFICATE_NOT_VALID', message: `${what} is valid from ${notBefore.toISOString()} on` }]
}
